"""The dialect between ONNX and TFLite: the nodes that legalization leaves behind.

Every node of a legalized graph is in the domain ``DIALECT`` and means what the TFLite operator of
the same family does, except that its axes are still in the source's order (channels first) until
the layout pass has run. Static facts are attributes: ``Slice`` has ``begin``, ``size`` and
``stride`` for every axis, ``Pad`` has ``before`` and ``after``, ``Conv2D`` has ``padding``
(``SAME`` or ``VALID``). ``Reshape`` and ``Expand`` take their target from the shape of their
output.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.annotations import EDGEC_DOMAIN, quant_of, set_quant
from compressor.ir.quant import QuantParams

DIALECT = "edgec.tflite"
_TENSOR_NAME = "edgec.tflite.name"
ONNX_DOMAINS = ("", "ai.onnx", EDGEC_DOMAIN)

Shape = tuple[int, ...]
Array = npt.NDArray[Any]


class Unsupported(Exception):  # noqa: N818 (it states a fact about a node, and becomes a Refusal)
    """A node has no TFLite form; the message is the reason."""


def shape_of(value: ir.Value | None) -> Shape:
    """Return the static shape of *value*.

    Raises:
        Unsupported: when a dimension is unknown.
    """
    if value is None or value.shape is None or not value.shape.is_static():
        name = "an absent input" if value is None else f"'{value.name}'"
        raise Unsupported(f"the shape of {name} is not known at compile time")
    return tuple(int(dim) for dim in value.shape)  # type: ignore[arg-type]


def rank_of(value: ir.Value) -> int:
    """Return the number of axes of *value*."""
    return len(shape_of(value))


def constant_of(value: ir.Value | None) -> Array | None:
    """Return the contents of a constant *value* (real numbers), or None for an activation."""
    if value is None or value.const_value is None or value.is_graph_input():
        return None
    return value.const_value.numpy()


def is_constant(value: ir.Value | None) -> bool:
    """Whether *value* is known at compile time."""
    return value is not None and value.const_value is not None and not value.is_graph_input()


def optional_input(node: ir.Node, index: int) -> ir.Value | None:
    """Return input *index* of *node*, or None when it is absent."""
    return node.inputs[index] if index < len(node.inputs) else None


def required_input(node: ir.Node, index: int) -> ir.Value:
    """Return input *index* of *node*.

    Raises:
        Unsupported: when it is absent.
    """
    value = optional_input(node, index)
    if value is None:
        raise Unsupported(f"input {index} is missing")
    return value


def constant_input(node: ir.Node, index: int, what: str) -> Array:
    """Return the constant at input *index* of *node*; *what* names it in the reason.

    Raises:
        Unsupported: when it is absent or computed at run time.
    """
    array = constant_of(optional_input(node, index))
    if array is None:
        raise Unsupported(f"{what} is computed at run time")
    return array


def is_integer(node: ir.Node) -> bool:
    """Whether *node* computes on integers: its result is annotated."""
    return quant_of(node.outputs[0]) is not None


def ints(node: ir.Node, name: str) -> list[int]:
    """Return the integer list attribute *name* of *node*, empty when it is absent."""
    return list(node.attributes.get_ints(name, []))


def set_ints(node: ir.Node, name: str, values: list[int]) -> None:
    """Set the integer list attribute *name* of *node*."""
    node.attributes[name] = ir.AttrInt64s(name, values)


def normalize_axis(axis: int, rank: int) -> int:
    """Return *axis* counted from the front.

    Raises:
        Unsupported: when it is outside the rank.
    """
    if not -rank <= axis < rank:
        raise Unsupported(f"axis {axis} is outside rank {rank}")
    return axis % rank


def adopt(node: ir.Node, op_type: str = "") -> None:
    """Take *node* into the dialect as it is, renamed to *op_type* when given."""
    node.domain = DIALECT
    node.op_type = op_type or node.op_type


def permuted(params: QuantParams | None, perm: Shape) -> QuantParams | None:
    """Return *params* for a tensor transposed by *perm*: the channel axis moves along."""
    if params is None or params.axis is None:
        return params
    return QuantParams(
        dtype=params.dtype,
        scale=params.scale,
        zero_point=params.zero_point,
        axis=perm.index(params.axis),
    )


def set_constant(value: ir.Value, array: Array, params: QuantParams | None) -> None:
    """Give the constant *value* new contents and representation; its name stays."""
    value.const_value = ir.Tensor(array, name=value.name)
    value.shape = ir.Shape(array.shape)
    value.dtype = value.const_value.dtype
    set_quant(value, params)


def new_constant(
    graph: ir.Graph, name: str, array: npt.ArrayLike, params: QuantParams | None = None
) -> ir.Value:
    """Register a new constant in *graph*; its tensor is to be called *name* if that is free."""
    free, count = name, 0
    while free in graph.initializers:
        count += 1
        free = f"{name}_{count}"
    value = ir.Value(name=free)
    value.meta[_TENSOR_NAME] = name
    set_constant(value, np.asarray(array), params)
    graph.register_initializer(value)
    return value


def tensor_name(value: ir.Value) -> str:
    """Return what the tensor of *value* should be called: the name it has in the source."""
    name: str = value.meta.get(_TENSOR_NAME, value.name or "")
    return name
