"""Between which numbers the integers of a graph lie, as far as its operators say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import constant_of, shape_of
from exporters.tflite.types import Bounds, type_of

_NARROW = frozenset(
    {
        ir.DataType.BOOL,
        ir.DataType.INT8,
        ir.DataType.UINT8,
        ir.DataType.INT16,
        ir.DataType.UINT16,
        ir.DataType.INT32,
        ir.DataType.UINT32,
    }
)
_UNCHANGED = frozenset(
    {
        *(
            "Reshape",
            "Transpose",
            "Slice",
            "Select",
            "Expand",
            "Tile",
            "Split",
            "Gather",
            "Reverse",
        ),
        *("ReduceMax", "ReduceMin", "MirrorPad", "Counted"),
    }
)


def integer_bounds(graph: ir.Graph) -> dict[ir.Value, Bounds]:
    """Return the smallest and largest number of each value of *graph* for which they are known."""
    found: dict[ir.Value, Bounds] = {}
    for value in (*graph.inputs, *graph.initializers.values()):
        _record(found, value, _stored(value))
    for node in graph:
        for index, value in enumerate(node.outputs):
            _record(found, value, _computed(node, index, found))
    return found


def hull(bounds: Sequence[Bounds | None]) -> Bounds | None:
    """Return the smallest interval around all *bounds*; None when any is unknown."""
    known = [b for b in bounds if b is not None]
    if not known or len(known) < len(bounds):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def _record(found: dict[ir.Value, Bounds], value: ir.Value, bounds: Bounds | None) -> None:
    bounds = bounds or _of_type(value)
    if bounds is not None:
        found[value] = bounds


def _of_type(value: ir.Value) -> Bounds | None:
    dtype = type_of(value)
    if dtype == ir.DataType.BOOL:
        return 0, 1
    if dtype not in _NARROW:
        return None
    limits = np.iinfo(dtype.numpy())
    return int(limits.min), int(limits.max)


def _stored(value: ir.Value) -> Bounds | None:
    array = constant_of(value)
    if array is None or array.dtype.kind not in "iub" or not array.size:
        return None
    return int(array.min()), int(array.max())


def _computed(node: ir.Node, index: int, found: dict[ir.Value, Bounds]) -> Bounds | None:
    operands = [None if value is None else found.get(value) for value in node.inputs]
    if node.op_type in ("ArgMax", "ArgMin"):
        return 0, shape_of(node.inputs[0])[node.attributes.get_int("axis", 0)] - 1
    if node.op_type == "TopK":
        return (0, shape_of(node.inputs[0])[-1] - 1) if index else operands[0]
    if node.op_type == "Suppress":
        return (0, shape_of(node.inputs[1])[0] - 1) if index == 0 else None
    if node.op_type in _UNCHANGED:
        return operands[0]
    if node.op_type == "Cast":
        return operands[0] if _fits(operands[0], node.outputs[0]) else None
    if node.op_type == "Concat":
        return hull(operands)
    if node.op_type == "Where":
        return hull(operands[1:])
    if node.op_type == "FloorMod":
        divisor = operands[1]
        return (0, divisor[1] - 1) if divisor is not None and divisor[0] > 0 else None
    return _arithmetic(node, operands)


def _fits(bounds: Bounds | None, out: ir.Value) -> bool:
    limits = _of_type(out)
    if limits is None or bounds is None:
        return limits is None
    return limits[0] <= bounds[0] and bounds[1] <= limits[1]


def _arithmetic(node: ir.Node, operands: list[Bounds | None]) -> Bounds | None:
    rule = _ARITHMETIC.get(node.op_type)
    known = [b for b in operands if b is not None]
    if rule is None or len(known) < len(operands):
        return None
    bounds = rule(known)
    return bounds if _fits(bounds, node.outputs[0]) else None


def _quotients(operands: Sequence[Bounds]) -> Bounds:
    largest = max(map(abs, operands[0]))
    return -largest, largest


def _products(operands: Sequence[Bounds]) -> Bounds:
    corners = [a * b for a in operands[0] for b in operands[1]]
    return min(corners), max(corners)


_ARITHMETIC: dict[str, Callable[[Sequence[Bounds]], Bounds]] = {
    "Add": lambda b: (b[0][0] + b[1][0], b[0][1] + b[1][1]),
    "Sub": lambda b: (b[0][0] - b[1][1], b[0][1] - b[1][0]),
    "Mul": _products,
    "Div": _quotients,
    "Neg": lambda b: (-b[0][1], -b[0][0]),
    "Abs": lambda b: (0, max(abs(b[0][0]), abs(b[0][1]))),
    "Max": lambda b: (max(low for low, _ in b), max(high for _, high in b)),
    "Min": lambda b: (min(low for low, _ in b), min(high for _, high in b)),
    "Relu": lambda b: (max(b[0][0], 0), max(b[0][1], 0)),
}
