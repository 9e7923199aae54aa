"""What one operator does, in the terms that its time depends on: the cost model's only input."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How an operator spends its time."""

    CONV = "convolution, of any kernel and grouping"
    DEPTHWISE = "convolution with one channel a group"
    DENSE = "matrix product of one row with constant weights"
    POOL = "pooling"
    ELEMENTWISE = "arithmetic element by element"
    MOVEMENT = "moves elements"
    TRANSCENDENTAL = "exponentials, logarithms, divisions, sorting: many cycles an element"
    FREE = "takes no time of its own"
    UNCOVERED = "no measured model has one"


@dataclass(frozen=True, kw_only=True)
class Work:
    """One operator at batch 1.

    Attributes:
        name: the node, for reports.
        macs: multiply-accumulates; weights: elements of its constants (without biases).
        elements_in, elements_out: elements of activations that it reads and writes.
        window: elements of the kernel or pooling window (9 for 3x3, 0 for global pooling).
        channels_in, channels_out: of the whole operator, not of a group.
        width, height: of the output.
        integer: computed in 8-bit integers.
    """

    name: str
    kind: Kind
    macs: int = 0
    weights: int = 0
    elements_in: int = 0
    elements_out: int = 0
    window: int = 1
    stride: int = 1
    groups: int = 1
    channels_in: int = 0
    channels_out: int = 0
    width: int = 1
    height: int = 1
    integer: bool = False
