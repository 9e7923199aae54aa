"""A model's latency on a device, from its operators and the device's fitted prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtimes.estimate import Spread, Tier
from runtimes.simulator.features import NAMES, Matrix, Vector, operator_quantities
from runtimes.simulator.profile import Profile
from runtimes.simulator.runtime_ratio import RuntimeRatio, runtime_ratio
from runtimes.simulator.work import Kind, Work

COVERED_LEAST = 0.9
"""Share of the predicted time that must be in operators that were measured."""

_LOWER = {Tier.CALIBRATED: Tier.PROFILE, Tier.PROFILE: Tier.ZERO, Tier.ZERO: Tier.ZERO}
_TIERS = {"profile": Tier.PROFILE, "calibrated": Tier.CALIBRATED}
_LARGEST_MCU = 1.25e8  # MACs, ten times the largest model of MLPerf Tiny
_NAMED = 5  # operators that a reason names
_SMALLEST = 3e7  # MACs of the smallest model that was measured with ncnn


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """One model on one profile.

    Attributes:
        latency_ms: None where the tier is UNKNOWN.
        uncovered: share of the predicted time in operators that the fit never saw.
        by_operator: predicted milliseconds of each operator, in the model's order.
        reasons: what lowers the tier, and what the number assumes.
    """

    tier: Tier
    latency_ms: Spread | None
    uncovered: float
    by_operator: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]


def simulate(works: Sequence[Work], profile: Profile, *, runtime: str) -> Simulated:
    """Predict the latency of a model with operators *works* under *runtime* on *profile*.

    *runtime* is the one that will run the artifact; where the profile was measured with another,
    the published ratio of the two is applied, and its spread widens the interval.
    """
    table = np.array([operator_quantities(work) for work in works])
    prices = np.array([profile.price_ns[name] for name in NAMES])
    parts = table * prices  # milliseconds: millions of units times nanoseconds
    by_operator = parts.sum(1)
    total = float(by_operator.sum())
    if total <= 0:
        return Simulated(
            tier=Tier.UNKNOWN,
            latency_ms=None,
            uncovered=1.0,
            by_operator=(),
            reasons=("the model has no operator that takes time",),
        )
    uncovered, unseen = _uncovered(works, profile, by_operator)
    ratio = runtime_ratio(profile.runtime, runtime, integer=_is_integer(works, by_operator))
    deviation = _deviation(parts.sum(0) / total, profile)
    reasons = tuple(unseen + _assumptions(works, profile, ratio))
    named = tuple((work.name, float(ms)) for work, ms in zip(works, by_operator, strict=True))
    tier = _TIERS[profile.tier]
    if uncovered > 1 - COVERED_LEAST:
        return Simulated(
            tier=Tier.UNKNOWN,
            latency_ms=None,
            uncovered=uncovered,
            by_operator=named,
            reasons=reasons,
        )
    return Simulated(
        tier=_LOWER[tier] if uncovered else tier,
        latency_ms=_spread(total, deviation, profile, ratio),
        uncovered=uncovered,
        by_operator=named,
        reasons=reasons,
    )


def energy_of(latency: Spread | None, profile: Profile) -> Spread | None:
    """Return millijoules of one inference, where the device's power was published."""
    if latency is None or profile.power_mw is None:
        return None
    watts, spread = profile.power_mw / 1e3, profile.power_spread
    near = float(np.hypot(np.log(latency.high80 / latency.median), 1.2816 * spread))
    far = float(np.hypot(np.log(latency.high90 / latency.median), 1.6449 * spread))
    median = latency.median * watts
    return Spread(
        median=median,
        low80=median * float(np.exp(-near)),
        high80=median * float(np.exp(near)),
        low90=median * float(np.exp(-far)),
        high90=median * float(np.exp(far)),
    )


def _uncovered(
    works: Sequence[Work], profile: Profile, by_operator: Vector
) -> tuple[float, list[str]]:
    """Return the share of time in operators that the fit never saw, and which these are."""
    integer = "int8" in profile.precisions
    unseen = np.array([w.kind is Kind.UNCOVERED or (w.integer and not integer) for w in works])
    share = float(by_operator[unseen].sum() / by_operator.sum())
    if not share:
        return 0.0, []
    order = np.argsort(-by_operator * unseen)[: min(_NAMED, int(unseen.sum()))]
    names = ", ".join(f"'{works[place].name}'" for place in order)
    return share, [
        f"{100 * share:.0f} % of the predicted time is in operators that no measured model on this "
        f"device has: {names}"
    ]


def _is_integer(works: Sequence[Work], by_operator: Vector) -> bool:
    integer = np.array([work.integer for work in works])
    return bool(by_operator[integer].sum() > by_operator.sum() / 2)


def _deviation(share: Matrix, profile: Profile) -> float:
    """Standard deviation of the log time: of the prices, each by its share, and of the model."""
    spread = np.array([profile.price_spread[name] for name in NAMES])
    return float(np.sqrt(((share * spread) ** 2).sum() + profile.noise**2))


def _spread(total: float, deviation: float, profile: Profile, ratio: RuntimeRatio | None) -> Spread:
    shift, extra = (ratio.log_ratio, ratio.spread) if ratio else (0.0, 0.0)
    median = total * float(np.exp(shift))
    near = float(np.hypot(profile.interval80 * deviation, 1.2816 * extra))
    far = float(np.hypot(profile.interval90 * deviation, 1.6449 * extra))
    return Spread(
        median=median,
        low80=median * float(np.exp(-near)),
        high80=median * float(np.exp(near)),
        low90=median * float(np.exp(-far)),
        high90=median * float(np.exp(far)),
    )


def _assumptions(works: Sequence[Work], profile: Profile, ratio: RuntimeRatio | None) -> list[str]:
    found = []
    if ratio:
        found.append(
            f"fitted to {profile.runtime} and multiplied by {np.exp(ratio.log_ratio):.2f} for "
            f"{ratio.runtime}, the median of {ratio.count} published pairs"
        )
    if profile.float_arithmetic == "fp16" and not all(work.integer for work in works if work.macs):
        found.append("float models were measured in fp16, which this core computes natively")
    if profile.runtime == "ncnn" and sum(work.macs for work in works) < _SMALLEST:
        found.append("smaller than any model behind the profile: start-up costs weigh more")
    if profile.runtime not in ("ncnn", "own") and sum(w.macs for w in works) > _LARGEST_MCU:
        found.append("ten times larger than any model measured there: check that it fits at all")
    return found
