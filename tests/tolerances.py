"""Tolerances of the tests: each has a name and says where its size comes from."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def float64_sum(terms: int) -> float:
    """Rounding error of a float64 sum of *terms* numbers of size 1, in any order."""
    return terms * float(np.finfo(np.float64).eps)


def proportion(share: float, trials: int) -> float:
    """Four standard errors of a *share* observed in *trials*: exceeded once in 16,000 times."""
    return 4 * math.sqrt(share * (1 - share) / trials)


def float32_network(*, layers: int, terms: int) -> float:
    """Difference, relative to the largest output, of one float32 network summed in two orders.

    Rounding errors of a sum of *terms* products grow as the square root of their number, and each
    of *layers* adds its own.
    """
    return layers * math.sqrt(terms) * float(np.finfo(np.float32).eps)


def bootstrap_width(resamples: int) -> float:
    """Four standard errors of a 95 % bootstrap interval's relative width.

    Each end is a quantile of *resamples* draws, with error sqrt(q (1 - q) / n) / density there.
    """
    density = math.exp(-(1.96**2) / 2) / math.sqrt(2 * math.pi)
    end = math.sqrt(0.025 * 0.975 / resamples) / density
    return 4 * math.sqrt(2) * end / (2 * 1.96)


def uniform_power_db(samples: int) -> float:
    """Four standard errors, in dB, of the power of *samples* uniform numbers.

    Their squares have mean 1/3 and variance 4/45, so the power's relative error is sqrt(0.8 / n).
    """
    return 4 * 10 / math.log(10) * math.sqrt(0.8 / samples)


# Two integer kernels may round one half up or down: results differ by one step of the scale. The
# fraction covers that the difference of two float32 numbers is not exactly the scale.
ONE_STEP = 1 + 2**-10


def float32_operator(*, terms: int) -> float:
    """Difference, relative to the largest output, of one operator computed by two libraries.

    A sum of *terms* products, or a transcendental function by polynomials of a few ULP each (those
    of XNNPACK and MLAS stay within 8 ULP over their range).
    """
    return (math.sqrt(terms) + 8) * float(np.finfo(np.float32).eps)


def quantization_step(low: float, high: float) -> float:
    """Rounding of a float32 result between *low* and *high*: half a unit in its last place."""
    return max(abs(low), abs(high)) * float(np.finfo(np.float32).eps) / 2


def float16_network(*, layers: int) -> float:
    """Difference, relative to the largest output, that rounding the weights to float16 makes.

    Each weight is off by at most half an ULP, independently; *layers* errors add up as noise.
    """
    return math.sqrt(layers) * float(np.finfo(np.float16).eps)


def moment_error(count: int, power: float) -> float:
    """Rounding of a mean of *count* float32 products, the largest mean square being *power*."""
    return count * float(np.finfo(np.float32).eps) * power


# Rounding noise counts as uniform, scale^2 / 12, when a range of 255 steps is chosen. That is right
# up to a step at each end of the range; the square of each step's length changes twice as much.
NOISE_MODEL = 2 * 2 / 255

# Signal to quantization noise of a small random INT8 network. Eight bits give 50 dB a tensor, less
# 10 for a normal signal within its extremes and 5 to 15 for several layers in a row; a wrong scale,
# axis or zero point leaves less than 10.
LEAST_SQNR_DB = 20.0


def grid_rounding(steps: int) -> float:
    """Distance of ``scale * step / scale`` from a whole number of at most *steps*, in float32."""
    return 2 * steps * float(np.finfo(np.float32).eps)


# Two executions of one integer graph differ by a step where a real number lies next to a tie, and
# may differ by one more where a later layer reads that number.
QUANTIZED_STEP = 2.0


def hybrid_product(rows: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> float:
    """Error of ``rows @ weight.T`` when each row is rounded to 8 bits: half a step an element."""
    step = np.abs(rows).max(axis=1) / 127
    return float((step / 2).max() * np.abs(weight).sum(axis=1).max())


def one_sample(count: int) -> float:
    """Points of accuracy that one of *count* samples is worth, or 0.1 if that is more.

    A rounding of half a step up or down in one of two integer kernels can tip a close call.
    """
    return max(0.1, 100 / count) * ONE_STEP


# Points of accuracy that two forms of one network may differ by: two of 4,490 samples, whose
# classes lie within rounding of each other, are 0.045.
SAME_ACCURACY_POINTS = 0.05

# Difference of a pruned network and the one with zeros, relative to the largest output: the same
# products summed in another order, through up to 100 layers of up to 5,000 products each, whose
# errors seldom add up. What is coupled wrongly is off by the size of the output.
PRUNED = 1e-5

# Slopes in float64 by central differences with steps of 1e-6: rounding leaves 1e-16 / 1e-6, the
# third derivative 1e-12; kinks (Relu, largest of a pool) that a step crosses are rarer than this.
FINITE_DIFFERENCE = 1e-6

# Difference, relative to the largest output, of a whole network in two libraries: some hundred
# layers, each of sums of some thousand products, give sqrt(100 * 1000) * eps = 4e-5. A wrong graph
# is wrong by more than a hundredth.
ZOO_PARITY = 1e-4

# Points of accuracy that a quantized file may differ by in another runtime: their kernels round one
# of some thousand integers otherwise, which turns answers whose classes are a step apart. Four of
# 4,490 samples are 0.09; of 846 it is none.
QUANTIZED_ACCURACY_POINTS = 0.1
