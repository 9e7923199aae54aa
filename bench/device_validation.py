"""How well devices are simulated that the fit never saw: ``python -m bench.device_validation``.

    python -m bench.device_validation --ops OPS.csv --measured MEASURED.csv [--anchors 5]

Whole devices and whole model families are left out at once; of a left-out device only the times of
a few anchor models of other families are known. Intervals for one device and family are calibrated
on the errors of all others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.metrics.spearman import evaluate as rank_correlation
from compressor.errors import EdgecError
from runtimes.simulator.crossvalidation import Prediction, covered, leave_out, make_study
from runtimes.simulator.tables import Setting, families, read_operators, read_times

_FOLDS = 6
_LEAST_RANKED = 6  # models on a device below which ranks say little


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Errors of a set of predictions.

    Attributes:
        n: predicted times; settings: ways of running (device, threads, cores) they belong to.
        mape: mean absolute error in percent of the measured time; median: the middle one.
        within: percent of predictions off by at most 10 and 20 percent.
        spearman: rank correlation of the times on one device, mean over settings.
        coverage: percent of times inside the 80 and 90 percent intervals.
        baseline_mape: error when time is proportional to MACs, scaled by the same anchors.
    """

    n: int
    settings: int
    mape: float
    median: float
    within: Mapping[int, float]
    spearman: float
    coverage: Mapping[int, float]
    baseline_mape: float


def summarize(predictions: Sequence[Prediction]) -> Summary:
    """Return the errors of *predictions*, which must not be empty."""
    errors = np.array([p.error for p in predictions])
    baseline = np.array([p.baseline_error for p in predictions])
    return Summary(
        n=len(predictions),
        settings=len({p.setting for p in predictions}),
        mape=100 * float(errors.mean()),
        median=100 * float(np.median(errors)),
        within={percent: 100 * float((errors <= percent / 100).mean()) for percent in (10, 20)},
        spearman=_mean_spearman(predictions),
        coverage={round(100 * k): 100 * share for k, share in covered(predictions).items()},
        baseline_mape=100 * float(baseline.mean()),
    )


def _mean_spearman(predictions: Sequence[Prediction]) -> float:
    by_setting: dict[Setting, list[tuple[float, float]]] = defaultdict(list)
    for p in predictions:
        by_setting[p.setting].append((p.predicted, p.log_ms))
    pairs = [np.array(rows) for rows in by_setting.values() if len(rows) >= _LEAST_RANKED]
    return float(np.mean([rank_correlation(rows[:, 0], rows[:, 1]) for rows in pairs]))


def validate(
    operators: Path, measured: Path, *, anchors: int, threads: Sequence[str], folds: int = _FOLDS
) -> dict[str, list[Prediction]]:
    """Return the left-out predictions by number of threads.

    Raises:
        EdgecError: ``DATA_NOT_FOUND`` or ``DATA_UNREADABLE`` about either table.
    """
    works = read_operators(operators)
    family = families(works)
    times = read_times(measured, list(works))
    found = {}
    for count in threads:
        study = make_study(works, {s: t for s, t in times.items() if s.threads == count}, family)
        if len({setting.device for setting in study.settings}) > 1:
            found[count] = leave_out(study, anchors=anchors, folds=folds)
    return found


def _text(count: str, summary: Summary) -> str:
    within, coverage = summary.within, summary.coverage
    return (
        f"{count} thread{'' if count == '1' else 's'}: "
        f"n {summary.n} in {summary.settings} settings\n"
        f"  MAPE {summary.mape:.1f} % (MACs only {summary.baseline_mape:.1f} %), "
        f"median error {summary.median:.1f} %\n"
        f"  within 10 %: {within[10]:.1f} %, within 20 %: {within[20]:.1f} %\n"
        f"  Spearman per device {summary.spearman:.3f}\n"
        f"  80 % intervals cover {coverage[80]:.1f} %, 90 % intervals {coverage[90]:.1f} %\n"
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.device_validation", description=__doc__)
    parser.add_argument("--ops", type=Path, required=True, help="operators of the models, CSV")
    parser.add_argument("--measured", type=Path, required=True, help="times on devices, CSV")
    parser.add_argument("--anchors", type=int, default=5, help="known times on a left-out device")
    parser.add_argument("--threads", default="1,4", help="numbers of threads, with commas")
    parser.add_argument("--folds", type=int, default=_FOLDS, help="groups of devices left out")
    parser.add_argument("--models", action="store_true", help="also the errors by model")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the study as text or JSON; return 2 when a table cannot be read or is too small."""
    options = _arguments(arguments)
    try:
        found = validate(
            options.ops,
            options.measured,
            anchors=options.anchors,
            threads=options.threads.split(","),
            folds=options.folds,
        )
    except EdgecError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not any(found.values()):
        sys.stderr.write("no two devices have enough times to leave one out\n")
        return 2
    summaries = {count: summarize(rows) for count, rows in found.items() if rows}
    if options.json:
        sys.stdout.write(json.dumps({c: _plain(s) for c, s in summaries.items()}, indent=2) + "\n")
        return 0
    for count, summary in summaries.items():
        sys.stdout.write(_text(count, summary))
        if options.models:
            sys.stdout.write(_by_model(found[count]))
    return 0


def _by_model(predictions: Sequence[Prediction]) -> str:
    names = sorted({p.model for p in predictions})
    lines = []
    for name in names:
        ratios = np.array([p.predicted - p.log_ms for p in predictions if p.model == name])
        mape = 100 * np.abs(np.expm1(ratios)).mean()
        lines.append(
            f"  {name:24} MAPE {mape:5.1f} %, bias {100 * np.expm1(np.median(ratios)):+5.1f} %"
        )
    return "\n".join(lines) + "\n"


def _plain(summary: Summary) -> dict[str, Any]:
    return {**vars(summary), "within": dict(summary.within), "coverage": dict(summary.coverage)}


if __name__ == "__main__":
    raise SystemExit(main())
