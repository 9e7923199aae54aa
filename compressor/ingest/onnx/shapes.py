"""Input shapes: what the file leaves open is filled with what the user states."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions


def bind_shapes(model: ir.Model, options: IngestOptions, path: Path) -> None:
    """Give the inputs of *model* the shapes that *options* states.

    Raises:
        EdgecError: ``USAGE`` for shapes that do not fit, ``INPUT_SHAPE_NEEDED`` for missing ones.
    """
    inputs = {value.name: value for value in model.graph.inputs}
    for value in inputs.values():
        if value.shape is not None:  # exporters write -1 for a length that is open
            value.shape = ir.Shape(
                None if isinstance(dim, int) and dim < 0 else dim for dim in value.shape
            )
    for name, shape in options.input_shapes.items():
        if name not in inputs:
            raise EdgecError(
                Code.USAGE,
                f"the model has no input '{name}'",
                where=str(path),
                expected=f"one of: {', '.join(str(n) for n in inputs)}",
                hint="write --input-shape NAME=1,3,224,224 with one of these names",
            )
        inputs[name].shape = _merge_shape(inputs[name], shape, path)
    for value in model.graph.inputs:
        if value.shape is None and not value.is_initializer():
            raise EdgecError(
                Code.INPUT_SHAPE_NEEDED,
                f"the file does not state the rank of input '{value.name}'",
                where=str(path),
                hint=f"give it: --input-shape {value.name}=1,3,224,224",
            )


def _merge_shape(value: ir.Value, given: tuple[int, ...], path: Path) -> ir.Shape:
    """Fill what the file leaves open with *given*; an open batch axis stays open."""
    own = value.shape
    if own is None:
        return ir.Shape(["batch", *given[1:]])
    fits = len(own) == len(given) and all(
        not isinstance(have, int) or have == want for have, want in zip(own, given, strict=True)
    )
    if not fits:
        raise EdgecError(
            Code.USAGE,
            f"--input-shape {list(given)} contradicts the file, which states {own}",
            where=f"{path}, input '{value.name}'",
            expected="the same rank, and the lengths that the file states",
        )
    first = own[0] if len(own) else None
    rest = [have if isinstance(have, int) else want for have, want in zip(own, given, strict=True)]
    return ir.Shape(rest if first is None or isinstance(first, int) else [first, *rest[1:]])
