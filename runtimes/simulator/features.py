"""From operators to the quantities that cost time, and what is known of their prices beforehand.

The time of a model is ``sum(price * quantity)``: an additive model whose prices, in nanoseconds a
unit, are positive because their logarithms are what is fitted. The quantities follow how CPU
libraries compute: 3x3 convolutions of stride 1 by Winograd's F(4, 3) (Lavin and Gray, 2016), other
convolutions as matrix products over gathered windows, channels in packs of four.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from runtimes.simulator.work import Kind, Work

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

_CACHED = 250_000  # elements in and out that stay in a core's cache; what is above is spilled
_TILE, _POINTS = 4, 36  # Winograd F(4x4, 3x3): 36 products make 16 outputs
_PACK = 4  # channels of one vector register
_MILLION = 1e6


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A quantity and its price before any measurement.

    Attributes:
        unit: what one of it is.
        price: against the price of a multiply-accumulate in a matrix product.
        integer: the quantity also exists for 8-bit operators, with a price of its own.
    """

    unit: str
    price: float
    integer: bool = True


# Orders of magnitude for an in-order core with 128-bit vectors: about 3 MACs a cycle in a matrix
# product, a cycle or two an element of traffic in cache, ten an exponential, 10 us a dispatch.
FEATURES: dict[str, Feature] = {
    "gemm_mac": Feature(unit="MAC of a 1x1 convolution", price=1.0),
    "gemm_traffic": Feature(unit="activation of a 1x1 convolution", price=8.0),
    "winograd_mac": Feature(unit="product in Winograd's domain", price=1.0),
    "winograd_transform": Feature(unit="point transformed to or from that domain", price=12.0),
    "conv_mac": Feature(unit="MAC of another convolution", price=1.3),
    "conv_gather": Feature(unit="element gathered into windows", price=3.0),
    "stem_mac": Feature(unit="MAC of a convolution over up to 4 channels", price=1.0),
    "depthwise_mac": Feature(unit="MAC of a depthwise convolution", price=2.0),
    "depthwise_traffic": Feature(unit="activation of a depthwise convolution", price=6.0),
    "weight": Feature(unit="weight of a convolution, as stored for its algorithm", price=3.0),
    "dense_weight": Feature(unit="weight of a matrix-vector product", price=7.0),
    "element": Feature(
        unit="element of element-wise arithmetic and pooling", price=4.0, integer=False
    ),
    "moved": Feature(unit="element moved", price=10.0, integer=False),
    "transcendental": Feature(unit="element through an exponential", price=25.0, integer=False),
    "spilled": Feature(unit="element above what a cache holds", price=4.0, integer=False),
    "unpacked_mac": Feature(unit="MAC over channels off a multiple of 4", price=0.5, integer=False),
    "dispatch": Feature(unit="operator, or group of one", price=60_000.0, integer=False),
}
_INT8 = "_int8"
NAMES: tuple[str, ...] = (
    *FEATURES,
    *(name + _INT8 for name, feature in FEATURES.items() if feature.integer),
)
_INDEX = {name: index for index, name in enumerate(NAMES)}


def prior_log_prices() -> Vector:
    """Return the logarithm of every price of ``NAMES`` before any measurement, relative to one."""
    return np.log([FEATURES[base_name(name)].price for name in NAMES])


def base_name(name: str) -> str:
    """Return *name* without its mark for integers."""
    return name.removesuffix(_INT8)


def quantities(works: Iterable[Work]) -> Vector:
    """Return the quantities of a whole model, in millions, in the order of ``NAMES``."""
    total = np.zeros(len(NAMES))
    for work in works:
        total += operator_quantities(work)
    return total


def operator_quantities(work: Work) -> Vector:
    """Return the quantities of one operator, in millions, in the order of ``NAMES``."""
    found = _of_kind(work)
    if work.kind is not Kind.FREE:
        traffic = work.elements_in + work.elements_out
        width = 0.25 if work.integer else 1.0
        found["spilled"] = max(0, traffic - _CACHED) * width
        found["dispatch"] = found.get("dispatch", 0) + 1
    vector = np.zeros(len(NAMES))
    for name, amount in found.items():
        integer = work.integer and FEATURES[name].integer
        vector[_INDEX[name + _INT8 if integer else name]] = amount / _MILLION
    return vector


def _of_kind(work: Work) -> dict[str, float]:
    traffic = float(work.elements_in + work.elements_out)
    match work.kind:
        case Kind.CONV:
            return _convolution(work)
        case Kind.DEPTHWISE:
            return {"depthwise_mac": float(work.macs), "depthwise_traffic": traffic}
        case Kind.DENSE:
            return {"dense_weight": float(work.weights)}
        case Kind.POOL:
            return {"element": traffic * (2 if work.window > 1 else 1)}
        case Kind.ELEMENTWISE:
            return {"element": traffic}
        case Kind.MOVEMENT:
            return {"moved": traffic}
        case Kind.TRANSCENDENTAL:
            return {"transcendental": traffic}
        case Kind.UNCOVERED:  # a guess that only decides how much of a model is not covered
            return {"gemm_mac": float(work.macs), "transcendental": traffic}
        case Kind.FREE:
            return {}


def _convolution(work: Work) -> dict[str, float]:
    """A convolution with groups is, for each group, a convolution of its own."""
    groups, pixels = work.groups, work.width * work.height
    taken, made = work.channels_in // groups, work.channels_out // groups
    found = {"dispatch": float(groups - 1 if groups == 1 else groups)}
    if taken <= _PACK and groups == 1:
        return found | {"stem_mac": float(work.macs)}
    unpacked = work.macs if taken % _PACK or made % _PACK else 0
    if work.window == 1:
        return found | {
            "gemm_mac": float(work.macs),
            "gemm_traffic": float(pixels * (taken + made) * groups),
            "weight": float(work.weights),
            "unpacked_mac": 0.3 * unpacked,
        }
    if work.window == 9 and work.stride == 1 and min(taken, made) >= 2 * _PACK:
        points = _POINTS * ceil(work.width / _TILE) * ceil(work.height / _TILE) * groups
        return found | {
            "winograd_mac": float(points * taken * made),
            "winograd_transform": float(points * (taken + made)),
            "weight": float(_POINTS * taken * made * groups),
            "unpacked_mac": unpacked / 3,
        }
    return found | {
        "conv_mac": float(work.macs),
        "conv_gather": float(pixels * (taken * work.window + made) * groups),
        "weight": float(work.weights),
        "unpacked_mac": float(unpacked),
    }
