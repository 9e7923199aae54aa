"""Static facts of values and nodes that the layout pass reads."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.rewrite import constant_of
from compressor.layout.orders import Shape


def shape_of(value: ir.Value | None) -> Shape:
    """Return the static shape of *value*.

    Raises:
        ValueError: when a dimension is unknown; the layout pass runs on static graphs.
    """
    if value is None or value.shape is None or not value.shape.is_static():
        raise ValueError(f"'{value and value.name}' has no static shape")
    return tuple(int(dim) for dim in value.shape)  # type: ignore[arg-type]


def rank_of(value: ir.Value) -> int:
    """Return the number of axes of *value*."""
    return len(shape_of(value))


def is_constant(value: ir.Value | None) -> bool:
    """Whether *value* is known at compile time."""
    return constant_of(value) is not None


def first_input(node: ir.Node) -> ir.Value:
    """Return the first input of *node*, which must not be absent."""
    value = node.inputs[0]
    if value is None:
        raise ValueError(f"'{node.name}' has no first input")
    return value


def perm_of(node: ir.Node) -> Shape:
    """Return the permutation of the Transpose *node*."""
    return tuple(node.attributes.get_ints("perm", []))
