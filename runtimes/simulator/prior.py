"""How prices vary together: between devices, and between what is assumed and what is true.

Prices are not independent: on a core with weak memory all traffic is dear, and a library's 8-bit
kernels are good or bad together. Covariances of log prices are sums over such groups, of what a
float price shares with its 8-bit twin, and of what is a price's own.
"""

from __future__ import annotations

import numpy as np

from runtimes.simulator.features import NAMES, Matrix, base_name

_LOCAL_TRAFFIC = {
    "gemm_traffic", "winograd_transform", "conv_gather", "depthwise_traffic",
    "element", "moved", "spilled",
}  # fmt: skip
_WINOGRAD = {"winograd_mac", "winograd_transform"}
_INT8 = {name for name in NAMES if name != base_name(name)}

# (members, standard deviation of the log price that they share between devices)
_GROUPS: tuple[tuple[set[str], float], ...] = (
    ({name for name in NAMES if base_name(name) in _LOCAL_TRAFFIC}, 0.3),
    ({name for name in NAMES if base_name(name) in {"weight", "dense_weight", "spilled"}}, 0.4),
    ({name for name in NAMES if base_name(name) in _WINOGRAD}, 0.3),
    ({name for name in NAMES if name in _INT8 and base_name(name) in _WINOGRAD}, 0.4),
    ({name for name in NAMES if base_name(name).startswith("depthwise")}, 0.25),
    ({"dispatch"}, 0.5),
    (_INT8, 0.5),
)


def covariance(*, own: float, integer: float) -> Matrix:
    """Return a covariance of log prices, shape [prices, prices], without the common speed.

    *own* is the standard deviation of a price that it shares only with its 8-bit twin, *integer*
    that of every single price.
    """
    found = integer**2 * np.eye(len(NAMES))
    for members, deviation in _GROUPS:
        loading = np.array([deviation if name in members else 0.0 for name in NAMES])
        found += np.outer(loading, loading)
    bases = np.array([base_name(name) for name in NAMES])
    shared: Matrix = found + own**2 * (bases[:, None] == bases[None, :])
    return shared
