"""What a user should be told about a finished compilation, beyond its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.records import ArtifactRecord, Verdict
from compressor.artifact import QuantizationSummary
from compressor.recipe import COMPUTING, Recipe

_NOTICEABLE_DROP = 1.0
_LOW_SQNR_DB = 10.0  # the error holds a tenth of the power of the outputs
_LISTED = 4


def remarks(
    artifacts: Iterable[ArtifactRecord], summary: QuantizationSummary, recipe: Recipe
) -> Iterator[str]:
    """Yield what is worse than one may expect, and what stayed float and why."""
    if recipe.quantize in COMPUTING:
        yield from _float_parts(summary)
    for artifact in artifacts:
        drop, ratio = artifact.accuracy and artifact.accuracy.drop, artifact.ratio
        if artifact.accuracy and drop and drop.value > _NOTICEABLE_DROP and drop.low > 0:
            unit = artifact.accuracy.drop_unit
            yield f"{artifact.name} loses {drop.value:.2f} {unit} of {artifact.accuracy.metric}"
        if artifact.accuracy and artifact.accuracy.sqnr_db < _LOW_SQNR_DB:
            yield (
                f"{artifact.name} answers unlike the source (SQNR "
                f"{artifact.accuracy.sqnr_db:.1f} dB): try more calibration samples or --keep-float"
            )
        if ratio and ratio.ratio.low > 1 and recipe.quantize in COMPUTING:
            yield (
                f"{artifact.name} is slower than float in {artifact.runtime}: "
                f"{ratio.ratio.value:.2f}x"
            )
        if artifact.delegated and artifact.delegated.outside:
            split = artifact.delegated
            yield (
                f"{artifact.name}: {split.delegate} runs it in {split.partitions} parts; "
                f"{artifact.runtime} itself runs {', '.join(split.outside[:_LISTED])}"
                + (f" and {len(split.outside) - _LISTED} more" * (len(split.outside) > _LISTED))
            )
        if ratio and ratio.verdict is not Verdict.STABLE:
            verdict = ratio.verdict.value
            yield f"the latency of {artifact.name} is too {verdict} to decide upon; run again"


def _float_parts(summary: QuantizationSummary) -> Iterator[str]:
    yield (
        f"{summary.integer_macs:.1%} of the MACs are integer, "
        f"{summary.integer_weights:.1%} of the weights are stored as integers"
    )
    by_reason: dict[str, list[str]] = {}
    for name, op_type, reason in summary.kept_float:
        by_reason.setdefault(reason, []).append(f"{name} ({op_type})")
    for reason, nodes in by_reason.items():
        more = f" and {len(nodes) - _LISTED} more" if len(nodes) > _LISTED else ""
        yield f"in float: {', '.join(nodes[:_LISTED])}{more}: {reason}"
