"""What a TFLite file says, as plain values: tensors and operators of the main subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.ir.quant import QuantParams

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

# The options of an operator: a class of the generated schema, which has no annotations.
Options = Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        index: its number in the subgraph.
        name: as in the file, unique.
        dtype: numpy type as stored.
        shape: extents; open ones are 1.
        signature: extents with -1 for open ones.
        params: what its integers mean; None for plain numbers.
        data: contents of a constant, as stored; None when it is computed or fed.
        is_variable: whether it is state that is kept between runs.
    """

    index: int
    name: str
    dtype: np.dtype[Any]
    shape: Shape
    signature: Shape
    params: QuantParams | None = None
    data: Array | None = None
    is_variable: bool = False

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Operator:
    """One operator.

    Attributes:
        index: its place in the execution order.
        name: the builtin operator, such as ``CONV_2D``.
        inputs: tensors, None where an optional one is absent.
        outputs: tensors.
        options: the options table; a default one when the file has none.
    """

    index: int
    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Options


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The main subgraph.

    Attributes:
        operators: in execution order.
        inputs: tensors that are fed, by public name.
        outputs: tensors that are returned, by public name.
        description: who made the file.
        size: bytes of the whole file.
        metadata: the text of edgec's own manifest, when the file carries one.
    """

    operators: tuple[Operator, ...]
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    description: str
    size: int
    metadata: Mapping[str, str]
