"""From a range of real numbers to affine parameters; shared by every range method."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compressor.ir.quant import IntegerType, QuantParams

WEIGHT_STEPS = 127

# Integer kernels multiply by s_in * s_w / s_out and hold it in 32-bit fixed point: XNNPACK refuses
# 256 and more (and corrupts its heap), reference kernels flush less than 2**-31 to zero. Scales of
# tensors that never leave zero would break both bounds, so they get a harmless size instead.
DEAD_RANGE = 1e-6
DEAD_TENSOR_RANGE = 1e-2
DEAD_WEIGHT = 1e-12
SMALLEST_SHARE = 2.0**-20
BIAS_LIMIT = 1 << 30


def params_of_range(low: float, high: float, dtype: IntegerType) -> QuantParams:
    """Return asymmetric parameters that cover [*low*, *high*] and hold 0.0 exactly.

    The range is widened to include zero, so that padding and ReLU are exact (Jacob et al., 2018).
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < DEAD_RANGE:
        high = low + DEAD_TENSOR_RANGE
    scale = (high - low) / (dtype.high - dtype.low)
    zero_point = int(np.clip(np.rint(dtype.low - low / scale), dtype.low, dtype.high))
    return QuantParams.per_tensor(dtype, scale, zero_point)


def weight_params(
    weight: npt.NDArray[np.generic], axis: int, smallest: npt.NDArray[np.float64] | None = None
) -> QuantParams:
    """Return symmetric int8 parameters, one scale for each index of *weight* along *axis*.

    Args:
        weight: constant weights, any rank.
        axis: the output-channel axis.
        smallest: least scale of each channel, shape [channels]; keeps an int32 bias in range.
    """
    others = tuple(i for i in range(weight.ndim) if i != axis % weight.ndim)
    highest, lowest = weight.max(axis=others, initial=0), weight.min(axis=others, initial=0)
    extremes = np.maximum(np.asarray(highest, np.float64), -np.asarray(lowest, np.float64))
    largest = float(extremes.max(initial=0.0))
    largest = DEAD_TENSOR_RANGE if largest < DEAD_WEIGHT else largest
    scale = np.maximum(extremes, largest * SMALLEST_SHARE) / WEIGHT_STEPS
    if smallest is not None:
        scale = np.maximum(scale, smallest)
    return QuantParams.per_channel(IntegerType.INT8, scale, axis)


def bias_params(activation: QuantParams, weight: QuantParams) -> QuantParams:
    """Return int32 parameters at ``s_in * s_w`` for a bias, one scale per output channel."""
    product = np.float32(activation.scale[0]) * weight.scale_array()
    return QuantParams.per_channel(IntegerType.INT32, np.atleast_1d(product), 0)


def smallest_weight_scale(
    bias: npt.NDArray[np.generic], activation: QuantParams
) -> npt.NDArray[np.float64]:
    """Return the least weight scale per channel at which *bias* fits into int32 with room."""
    return np.abs(np.asarray(bias, np.float64)).ravel() / (BIAS_LIMIT * activation.scale[0])
