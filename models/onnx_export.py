"""A trained torch model as a self-contained ONNX file that holds no trace of where it was made."""

import enum
import tempfile
from pathlib import Path

import onnx
import onnx_ir as ir
import onnx_ir.passes.common as cleaning
import onnxscript.optimizer
import onnxscript.rewriter
import torch
from onnxscript.rewriter.rules import common as rules
from torch import nn

OPSET = 20
INPUT = "image"
OUTPUT = "logits"
IMAGE_SHAPE = (1, 28, 28)

# Folding may make constants up to the size of the largest weight.
FOLDED_ELEMENTS = 1 << 20

# The optimizer's default rules on shapes and zero biases, but not those that merge batch norms into
# convolutions: a batch norm in the file is what a compiler meets in practice.
TIDYING_RULES = (
    rules.no_op_expand_rule,
    rules.no_op_transpose_rule,
    rules.transpose_transpose_rule,
    rules.reshape_reshape_rule,
    rules.materialize_reshape_shape_rule,
    rules.squeeze_reshape_1d_rule,
    rules.collapse_slice_rule,
    rules.remove_optional_bias_from_conv_rule,
)


class Exporter(enum.Enum):
    """Which of torch's two exporters translates the model.

    `DYNAMO` is torch's present one. `TORCHSCRIPT`, the older one, gives the plainer graph around
    the ONNX `GRU` operator: a Squeeze of the direction axis in place of a computed Reshape.
    """

    DYNAMO = enum.auto()
    TORCHSCRIPT = enum.auto()


def export_onnx(model: nn.Module, path: Path, exporter: Exporter) -> None:
    """Write `model`, in evaluation mode, to `path` with a free batch size, whole or not at all.

    The input is `image` `[N, 1, 28, 28]`, the output `logits` `[N, 10]`, both float32.
    """
    translate = _with_dynamo if exporter is Exporter.DYNAMO else _with_torchscript
    graph = tidy(translate(model))
    onnx.checker.check_model(ir.to_proto(graph), full_check=True)
    unfinished = path.with_name(path.name + ".part")
    ir.save(graph, unfinished)
    unfinished.replace(path)


def tidy(model: ir.Model) -> ir.Model:
    """Fold constants, simplify shapes, and drop source locations and stack traces."""
    cleaning.InlinePass()(model)
    for _ in range(2):
        cleaning.ShapeInferencePass(data_prop=True)(model)
        onnxscript.optimizer.fold_constants(
            model, input_size_limit=FOLDED_ELEMENTS, output_size_limit=FOLDED_ELEMENTS
        )
        model = onnxscript.rewriter.rewrite(model, TIDYING_RULES)
    for clean in (
        cleaning.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        cleaning.IdentityEliminationPass(),
        cleaning.CommonSubexpressionEliminationPass(),
        cleaning.RemoveUnusedNodesPass(),
        cleaning.NameFixPass(),
        cleaning.ClearMetadataAndDocStringPass(),
    ):
        clean(model)
    _describe_initializers(model.graph)
    for value in _named_values(model.graph):
        value.metadata_props.clear()
    return model


def _with_dynamo(model: nn.Module) -> ir.Model:
    program = torch.onnx.export(
        model,
        (_example(),),
        dynamo=True,
        opset_version=OPSET,
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        optimize=False,
        verbose=False,
    )
    if program is None:
        message = "torch exported no program"
        raise RuntimeError(message)
    return program.model


def _with_torchscript(model: nn.Module) -> ir.Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            model,
            (_example(),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
        )
        return ir.from_proto(onnx.load(path))


def _example() -> torch.Tensor:
    return torch.zeros(2, *IMAGE_SHAPE)


def _describe_initializers(graph: ir.Graph) -> None:
    """State the true shape of folded constants; inference left unknown sizes on some."""
    for value in graph.initializers.values():
        if value.const_value is not None:
            value.shape = ir.Shape(value.const_value.numpy().shape)


def _named_values(graph: ir.Graph) -> list[ir.Value]:
    produced = [value for node in graph for value in node.outputs]
    return [*graph.inputs, *graph.initializers.values(), *produced]
