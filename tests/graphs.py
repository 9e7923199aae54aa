"""Small graphs for tests: ONNX text in, readable lines out, and what the graph computes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.parser
import onnx_ir as ir
import onnxruntime

from compressor.ir.annotations import origin_of
from compressor.ir.interface import interface_of
from compressor.ledger import LedgerEntry
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import Changes, Pass, PassContext
from compressor.pipeline import run_passes
from tests.tolerances import float32_network

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]


def graph_of(text: str, *, opset: int = 21, **constants: npt.ArrayLike) -> ir.Model:
    """Return the model whose graph is *text*, with *constants* as initializers.

    Names that *text* reads and does not define must be among *constants*.
    """
    header = f'<ir_version: 10, opset_import: ["" : {opset}]>\n'
    proto = onnx.parser.parse_model(header + text)
    for name, array in constants.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), name))
    model = ir.from_proto(proto)
    for index, node in enumerate(model.graph):
        node.name = node.name or f"n{index}"
    return model


def gaussian(*shape: int, seed: int = 0, scale: float = 1.0) -> npt.NDArray[np.float32]:
    """Return normal numbers as float32."""
    random = np.random.default_rng(seed)
    return (random.standard_normal(shape) * scale).astype(np.float32)


def apply(model: ir.Model, *passes: Pass, context: PassContext | None = None) -> list[Changes]:
    """Infer shapes, run *passes* with verification after each; return what each one changed."""
    interface = interface_of(model)
    run_passes(model, [InferShapes()], interface=interface)
    entries: Sequence[LedgerEntry] = run_passes(model, passes, interface=interface, context=context)
    return [entry.changes for entry in entries]


def lines_of(model: ir.Model) -> list[str]:
    """Return one line a node: ``y = Conv[pads=[1, 1]](x, w)``."""
    return [_line(node) for node in model.graph]


def _line(node: ir.Node) -> str:
    outputs = ", ".join(value.name or "?" for value in node.outputs)
    inputs = ", ".join("" if value is None else value.name or "?" for value in node.inputs)
    settings = ", ".join(f"{name}={_text(a)}" for name, a in sorted(node.attributes.items()))
    return f"{outputs} = {node.op_type}{f'[{settings}]' if settings else ''}({inputs})"


def _text(attribute: ir.Attr) -> str:
    value = attribute.value
    return (
        str(list(value))
        if isinstance(value, Iterable) and not isinstance(value, str)
        else str(value)
    )


def constant(model: ir.Model, name: str) -> Array:
    """Return the initializer called *name*."""
    tensor = model.graph.initializers[name].const_value
    assert tensor is not None
    return tensor.numpy()


def node_of(model: ir.Model, op_type: str) -> ir.Node:
    """Return the only node with operator *op_type*."""
    [found] = [node for node in model.graph if node.op_type == op_type]
    return found


def origins(model: ir.Model) -> dict[str, tuple[str, ...]]:
    """Return the source nodes of each node, by its first output."""
    return {node.outputs[0].name or "": origin_of(node) for node in model.graph}


def feeds_for(model: ir.Model, *, batch: int = 2, seed: int = 7) -> dict[str, Array]:
    """Return random feeds for the inputs of *model*; open dimensions are *batch*."""
    random = np.random.default_rng(seed)
    feeds = {}
    for spec in interface_of(model).inputs:
        values = random.standard_normal(spec.concrete(batch)) * 2
        feeds[spec.name] = np.asarray(values).astype(spec.numpy)
    return feeds


def run_onnx(model: ir.Model | bytes, feeds: Feeds, *, optimize: bool = False) -> dict[str, Array]:
    """Execute *model* in ONNX Runtime, without its own optimiser unless told."""
    options = onnxruntime.SessionOptions()
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    content = model if isinstance(model, bytes) else ir.to_proto(model).SerializeToString()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def assert_same(
    before: ir.Model, after: ir.Model, *, terms: int = 1, batch: int = 2, layers: int = 4
) -> None:
    """Assert that both models compute the same from random inputs.

    Args:
        before: the model as it was.
        after: the model as a pass left it.
        terms: length of the longest sum; 1 when only element-wise arithmetic is left.
        batch: length of open dimensions.
        layers: roundings that the rewrite may add.
    """
    feeds = feeds_for(before, batch=batch)
    want, have = run_onnx(before, feeds), run_onnx(after, feeds)
    assert list(want) == list(have)
    for name, expected in want.items():
        actual = have[name]
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
        bound = float32_network(layers=layers, terms=terms) * np.abs(expected).max(initial=0.0)
        assert np.abs(actual - expected).max(initial=0.0) <= bound, name
