"""Numbers against limits: exact ones exactly, estimates by their interval."""

from __future__ import annotations

from dataclasses import dataclass

from bench.gate.quantity import Against, Bound, Dimension, Limit, format_value
from bench.gate.ruling import Judgement, Outcome

FAR_BETTER = 0.2
"""Share of the limit by which a cost must lie below it to suggest a tighter limit."""

_COSTS = frozenset({Dimension.BYTES, Dimension.SECONDS, Dimension.JOULES})


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its interval; both ends equal the value where it is exact."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """Return *value* without any uncertainty."""
        return cls(value=value, low=value, high=value)

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate times a positive *factor*."""
        return Estimate(value=self.value * factor, low=self.low * factor, high=self.high * factor)

    def text(self, dimension: Dimension) -> str:
        """Return value and interval in words."""
        value = format_value(self.value, dimension)
        if self.low == self.high:
            return value
        return (
            f"{value} [{format_value(self.low, dimension)}, {format_value(self.high, dimension)}]"
        )


def missing(reason: str, hint: str = "") -> Judgement:
    """Return the failure of a budget on something that was not measured: a gate fails closed."""
    return Judgement(outcome=Outcome.FAIL, found="nothing", reason=reason, hint=hint)


def judge(
    limit: Limit,
    found: Estimate | None,
    *,
    float_value: Estimate | float | None = None,
    baseline: float | None = None,
) -> Judgement:
    """Judge *found* by *limit*.

    Args:
        limit: what is allowed.
        found: the artifact's value; None when it was not measured.
        float_value: for multiples of the float model: its value, or the measured ratio to it.
        baseline: for changes: the baseline's value.
    """
    match limit.against:
        case Against.FLOAT if isinstance(float_value, Estimate):
            return _by_interval(limit.bound, limit.value, float_value, Dimension.NUMBER, "x float")
        case Against.FLOAT if found is not None and isinstance(float_value, float) and float_value:
            ratio = found.scaled(1 / float_value)
            return _by_interval(limit.bound, limit.value, ratio, Dimension.NUMBER, "x float")
        case Against.FLOAT:
            return missing("the float model's value is not in the report")
        case Against.NOTHING if found is not None:
            return _by_interval(limit.bound, limit.value, found, limit.dimension)
        case _ if found is None:
            return missing("it was not measured")
        case _ if baseline is None:
            return missing(
                "there is no baseline", "make one with `edgec baseline OUT`, then pass --baseline"
            )
    change = limit.value if limit.against is Against.BASELINE else baseline * limit.value / 100
    return _by_interval(limit.bound, baseline + change, found, limit.dimension)


def judge_change(limit: Limit, ratio: Estimate | None) -> Judgement:
    """Judge a noisy value's *ratio* to its baseline: worse counts when significant *and* large.

    Significant: the interval excludes "no change". Large: the ratio is beyond the limit.
    """
    if ratio is None:
        return missing(
            "it was not timed against a baseline",
            "make one with `edgec baseline OUT`, then pass --baseline",
        )
    allowed = 1 + limit.value / 100
    text = f"{ratio.value - 1:+.1%} [{ratio.low - 1:+.1%}, {ratio.high - 1:+.1%}] of the baseline"
    if ratio.value <= allowed:
        return Judgement(outcome=Outcome.PASS, found=text)
    if ratio.low > 1:
        return Judgement(
            outcome=Outcome.FAIL,
            found=text,
            reason="slower, significantly and by more than allowed",
        )
    return Judgement(
        outcome=Outcome.UNCERTAIN,
        found=text,
        reason="slower than allowed, but within the noise",
        hint="run again on a quieter machine, or measure for longer",
    )


def _by_interval(
    bound: Bound, allowed: float, found: Estimate, dimension: Dimension, suffix: str = ""
) -> Judgement:
    """Pass when the whole interval is good, fail when none of it is."""
    at_most = bound is Bound.AT_MOST
    worst, best = (found.high, found.low) if at_most else (found.low, found.high)
    text = found.text(dimension) + suffix
    limit = format_value(allowed, dimension) + suffix
    if worst <= allowed if at_most else worst >= allowed:
        return Judgement(outcome=Outcome.PASS, found=text, hint=_ratchet(dimension, allowed, worst))
    if best > allowed if at_most else best < allowed:
        side = "above" if at_most else "below"
        return Judgement(outcome=Outcome.FAIL, found=text, reason=f"{side} {limit}")
    return Judgement(
        outcome=Outcome.UNCERTAIN,
        found=text,
        reason=f"the interval reaches across {limit}",
        hint="measure for longer, or leave more room",
    )


def _ratchet(dimension: Dimension, allowed: float, worst: float) -> str:
    """Suggest a tighter limit where a cost is far below it."""
    if dimension in _COSTS and allowed > 0 and worst < allowed * (1 - FAR_BETTER):
        return f"{1 - worst / allowed:.0%} below the limit: it could be tightened"
    return ""
