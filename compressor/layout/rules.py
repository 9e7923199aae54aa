"""What the layout pass must know of a set of operators: which orders each can compute in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

import onnx_ir as ir

from compressor.layout.orders import Label, Shape


class Role(Enum):
    """Which axis orders an operator can compute in."""

    SOURCE = auto()
    """The source's order only."""
    SPATIAL = auto()
    """The order of images, channels first or last, that all spatial operators of the set share."""
    ANY = auto()
    """Any order, one for all operands; ``reorder`` adapts axes and constants."""
    MOVEMENT = auto()
    """Reshape and Transpose: the order of input and output may differ, and that may be free."""


class Editor(Protocol):
    """Inserts nodes in front of one node, its anchor."""

    def transpose(self, value: ir.Value, perm: Shape, /) -> ir.Value:
        """Return *value* transposed by *perm*."""
        ...

    def reshape(self, value: ir.Value, shape: Shape, /) -> ir.Value:
        """Return *value* in *shape*, the one that the anchor, a Reshape, makes."""
        ...

    def replace(self, value: ir.Value, /) -> None:
        """Let *value* stand for the anchor's result and remove the anchor."""
        ...


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A set of operators.

    Attributes:
        domain: where its Transposes and Reshapes live.
        spatial: the order of images that its spatial operators compute in.
        role: which orders a node can compute in.
        reorder: adapts axes and constants of a node to an order in which stored axis ``i`` is the
            source's axis ``order[i]``; for the roles ``SPATIAL`` and ``ANY``.
        retarget: adapts the shape that a Reshape states to the order of its result.
        product: the operator ``x @ W'`` whose constant weights can take flattened samples in any
            order of elements.
        permute_rows: lets such a product read element ``i`` from ``order[i]``.
        passed_by_flatten: operators that may stand between the flattening and the product.
        edit: returns an editor in front of a node.
    """

    domain: str
    spatial: Label
    role: Callable[[ir.Node], Role]
    reorder: Callable[[ir.Node, Shape], None]
    retarget: Callable[[ir.Node, Shape], None]
    product: str
    permute_rows: Callable[[ir.Node, Shape], None]
    edit: Callable[[ir.Node], Editor]
    passed_by_flatten: frozenset[str] = field(default_factory=frozenset)
