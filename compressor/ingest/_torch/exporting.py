"""From a running model to an ONNX graph that holds no trace of where it was made."""

import re
from collections.abc import Callable, Mapping

import onnx_ir as ir
import onnx_ir.passes.common as cleaning
import torch
from torch import Tensor, nn

from .._child.refusal import RefusalError
from .nesting import Nested, leaves, mapped
from .subject import Subject, run_once

OPSET = 20
BATCH = "batch"
# What torch raises for models that it cannot trace or convert.
FAILURES = (RuntimeError, ValueError, TypeError, AssertionError, LookupError, AttributeError)


def export(subject: Subject) -> ir.Model:
    """Trace and convert *subject*; the batch axis is dynamic where the model allows it."""
    names = output_names(subject)
    program = subject.module
    if isinstance(program, nn.Module):
        program = trace(program, subject.inputs)
    converted = torch.onnx.export(
        program,
        dynamo=True,
        optimize=True,
        opset_version=OPSET,
        input_names=subject.input_names,
        output_names=names,
        verbose=False,
    )
    if converted is None:
        raise RefusalError("EXPORT_FROM_TORCH_FAILED", "torch made no ONNX program")
    return tidy(converted.model)


def trace(module: nn.Module, inputs: dict[str, Nested]) -> torch.export.ExportedProgram:
    """Trace with a dynamic batch axis; failing that, with a batch of one."""
    batch = torch.export.Dim(BATCH)
    free = {name: mapped(v, lambda t: {0: batch} if t.ndim else {}) for name, v in inputs.items()}
    try:
        return torch.export.export(module, (), inputs, dynamic_shapes=free, strict=False)
    except FAILURES as reason:
        single = single_sample(inputs)
        try:
            program = torch.export.export(module, (), single, strict=False)
        except FAILURES:
            raise reason from None
        inputs.update(single)
        return program


def single_sample(inputs: Mapping[str, Nested]) -> dict[str, Nested]:
    """Return *inputs* cut to one sample."""
    cut: Callable[[Tensor], Tensor] = lambda t: t[:1] if t.ndim else t  # noqa: E731 - a short name
    return {name: mapped(value, cut) for name, value in inputs.items()}


def output_names(subject: Subject) -> list[str]:
    """Return the names that the user states, or else those of what the model returns."""
    return subject.output_names or names_of(run_once(subject, subject.inputs))


def names_of(outputs: object) -> list[str]:
    """Return the keys of dicts, with ``.`` between; ``output``; or ``output_0`` and on."""
    found = list(leaves(outputs))
    if isinstance(outputs, Mapping):
        return found
    return ["output"] if len(found) == 1 else [f"output_{index}" for index in range(len(found))]


def tidy(model: ir.Model) -> ir.Model:
    """Drop stack traces and build paths, and call the batch axis by its name."""
    cleaning.ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
    public = {value.name for value in [*model.graph.inputs, *model.graph.outputs]}
    first_axes = [value.shape[0] for value in model.graph.inputs if value.shape]
    symbols = {str(axis.value) for axis in first_axes if isinstance(axis, ir.SymbolicDim)}
    for value in [*model.graph.inputs, *(v for node in model.graph for v in node.outputs)]:
        value.metadata_props.clear()
        if value.name in public and not (value.is_graph_input() or value.is_graph_output()):
            value.name = f"{value.name}_inner"  # torch calls an inner result like an output
        if value.shape is not None:
            value.shape = ir.Shape([_renamed(dim, symbols) for dim in value.shape])
    return model


def _renamed(dim: int | ir.SymbolicDim, symbols: set[str]) -> int | str | None:
    if isinstance(dim, int) or dim.value is None:
        return dim if isinstance(dim, int) else None
    return re.sub(r"\w+", lambda m: BATCH if m[0] in symbols else m[0], str(dim.value))
