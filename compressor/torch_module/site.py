"""One node as the function that builds its kernel sees it: attributes, operands, bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import torch
from torch import Tensor

from compressor.errors import Code, EdgecError
from compressor.ir.rewrite import constant_of

Kernel = Callable[..., Any]
"""Takes the operands in order, None for absent ones, and returns a tensor or a tuple of them."""

Body = Callable[[Sequence[Any], Sequence[Any]], list[Any]]
"""Runs a subgraph: (its inputs, what it captures from outside) -> its outputs."""

Array = npt.NDArray[Any]

_TYPES = {
    ir.DataType.DOUBLE: torch.float64,
    ir.DataType.FLOAT16: torch.float16,
    ir.DataType.BFLOAT16: torch.bfloat16,
    ir.DataType.BOOL: torch.bool,
    ir.DataType.INT8: torch.int8,
    ir.DataType.INT16: torch.int16,
    ir.DataType.INT32: torch.int32,
    ir.DataType.INT64: torch.int64,
    ir.DataType.UINT8: torch.uint8,
    ir.DataType.UINT16: torch.uint16,
    ir.DataType.UINT32: torch.uint32,
    ir.DataType.UINT64: torch.uint64,
}


@dataclass
class Home:
    """Where the module's parameters are: kernels that make tensors of nothing make them there."""

    device: torch.device


class Site:
    """A node, what is known about it, and which constants its kernel has taken in already.

    Attributes:
        node: the node.
        real: the type that stands for FLOAT.
        home: where new tensors belong.
        taken: operands whose contents the kernel holds; they are no longer fed to it.
        captured: numbers of outside values that the node's bodies read, fed after its own operands.
    """

    def __init__(
        self,
        node: ir.Node,
        real: torch.dtype,
        home: Home,
        plan_body: Callable[[ir.Graph], tuple[Body, list[int]]],
    ) -> None:
        self.node = node
        self.real = real
        self.home = home
        self.taken: set[int] = set()
        self.captured: list[int] = []
        self._plan_body = plan_body

    def integer(self, name: str, default: int) -> int:
        """Return the integer attribute *name*."""
        return int(self.node.attributes.get_int(name, default))

    def integers(self, name: str, default: Sequence[int] = ()) -> list[int]:
        """Return the integer-list attribute *name*."""
        found = self.node.attributes.get_ints(name)
        return list(default if found is None else found)

    def number(self, name: str, default: float) -> float:
        """Return the float attribute *name*, exactly as float32 holds it."""
        return float(self.node.attributes.get_float(name, default))

    def text(self, name: str, default: str) -> str:
        """Return the string attribute *name*."""
        return str(self.node.attributes.get_string(name, default))

    def has(self, name: str) -> bool:
        """Whether the attribute *name* is set."""
        return name in self.node.attributes

    def takes(self, index: int) -> bool:
        """Whether operand *index* is present."""
        return len(self.node.inputs) > index and self.node.inputs[index] is not None

    def gives(self, index: int) -> bool:
        """Whether output *index* is wanted."""
        return len(self.node.outputs) > index and bool(self.node.outputs[index].name)

    def known(self, index: int) -> Array | None:
        """Return the contents of a constant operand, which the kernel then need not be fed."""
        array = constant_of(self.node.inputs[index]) if self.takes(index) else None
        if array is not None:
            self.taken.add(index)
        return array

    def whole(self, index: int) -> Callable[[Tensor | None], list[int]]:
        """Return what gives the whole numbers of operand *index*: shapes, axes, pads.

        A constant is read now, anything else from the tensor at run time. An absent operand gives
        an empty list.
        """
        array = self.known(index)
        if array is not None:
            fixed = [int(number) for number in np.ravel(array)]
            return lambda _: fixed
        return lambda fed: [] if fed is None else fed.reshape(-1).tolist()

    def rank(self, index: int) -> int:
        """Return the number of axes of operand *index*; ``MODEL_UNSUPPORTED`` when unknown."""
        value = self.node.inputs[index]
        if value is None or value.shape is None:
            raise self.refused(f"operand {index} has no known rank")
        return len(value.shape)

    def body(self, name: str) -> tuple[Body, slice]:
        """Return the subgraph attribute *name*, and where its captured values lie among operands.

        The slice counts from the first captured value of the node.
        """
        run, captured = self._plan_body(self.node.attributes[name].as_graph())
        start = len(self.captured)
        self.captured += captured
        return run, slice(start, start + len(captured))

    def type_of(self, dtype: ir.DataType | int) -> torch.dtype:
        """Return the type of tensors that stands for *dtype*; ``MODEL_UNSUPPORTED`` without one."""
        kind = ir.DataType(dtype)
        if kind == ir.DataType.FLOAT:
            return self.real
        if kind not in _TYPES:
            raise self.refused(f"PyTorch computes nothing in {kind.name}")
        return _TYPES[kind]

    def refused(self, reason: str) -> EdgecError:
        """Return the error that says why this node cannot be computed here."""
        return EdgecError(
            Code.MODEL_UNSUPPORTED,
            f"PyTorch cannot run this: {reason}",
            where=f"node '{self.node.name}' ({self.node.op_type})",
        )


Build = Callable[[Site], Kernel]
