"""One model behind two interfaces: other types and layouts, the same real numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.errors import Code, EdgecError
from compressor.ir.interface import Interface, Layout, TensorSpec

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_AXES = {(Layout.NCHW, Layout.NHWC): (0, 2, 3, 1), (Layout.NHWC, Layout.NCHW): (0, 3, 1, 2)}


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """Translates feeds and outputs between the source's interface and an artifact's.

    Attributes:
        source: what samples and truth are in.
        artifact: what the artifact takes and gives; the same names in the same order.
    """

    source: Interface
    artifact: Interface

    def feeds(self, samples: Arrays) -> dict[str, Array]:
        """Return *samples* of the source as the artifact takes them."""
        pairs = zip(self.source.inputs, self.artifact.inputs, strict=True)
        return {new.name: _translated(samples[old.name], old, new) for old, new in pairs}

    def outputs(self, found: Arrays) -> dict[str, Array]:
        """Return the artifact's outputs as real numbers in the source's layout."""
        pairs = zip(self.source.outputs, self.artifact.outputs, strict=True)
        return {old.name: _in_layout(_real(found[new.name], new), new, old) for old, new in pairs}


def _translated(array: Array, old: TensorSpec, new: TensorSpec) -> Array:
    if (old.dtype, old.quantization) != (new.dtype, new.quantization):
        array = _real(array, old)
        if new.quantization is not None:
            array = new.quantization.quantize(array)
        elif array.dtype.kind == "f" and new.numpy.kind != "f":
            raise EdgecError(
                Code.DATA_DTYPE,
                f"real numbers cannot be fed to '{new.name}': it states no scale",
                expected=str(new),
            )
    return np.ascontiguousarray(_in_layout(array, old, new), new.numpy)


def _real(array: Array, spec: TensorSpec) -> Array:
    return array if spec.quantization is None else spec.quantization.dequantize(array)


def _in_layout(array: Array, old: TensorSpec, new: TensorSpec) -> Array:
    axes = _AXES.get((old.layout, new.layout))
    return array if axes is None else array.transpose(axes)
