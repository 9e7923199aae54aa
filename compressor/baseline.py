"""Baselines: artifacts and their report set aside, and later ones timed against them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.gate.facts import REPORT, Tree, files_of, read_report, stale_artifacts
from bench.latency import Entry, LatencyOptions, compare, time_models
from compressor.errors import Code, EdgecError
from compressor.evaluation import random_samples
from compressor.files import OutputFolder
from runtimes.isolate import Worker

COMPARISON_SECONDS = 10.0
"""Time to compare one artifact with its baseline: on a machine that does other work as well, the
interval of the ratio is then some per cents wide."""


def store_baseline(folder: Path, output: Path) -> Tree:
    """Copy the artifacts and the report of *folder* to *output*, and return the report.

    Raises:
        EdgecError: ``REPORT_UNREADABLE`` when there is no report or the files are not those that it
            speaks of; ``OUTPUT_EXISTS`` or ``OUTPUT_UNWRITABLE`` for *output*.
    """
    report = read_report(folder)
    if stale := sorted(stale_artifacts(folder, report)):
        raise EdgecError(
            Code.REPORT_UNREADABLE,
            f"'{stale[0]}' is missing or is not the file that was measured",
            where=str(folder),
            hint="compile the model again",
        )
    names = [name for record in report["artifacts"] for name in files_of(record)]
    with OutputFolder(output, sources=[folder / REPORT]) as place:
        for name in (REPORT, *names):
            shutil.copyfile(folder / name, place.building / name)
    return report


def time_against(
    folder: Path, report: Tree, baseline: Path, *, seconds: float = COMPARISON_SECONDS
) -> Mapping[str, Mapping[str, Any]]:
    """Time each artifact of *folder* against the one of its name in *baseline*, interleaved.

    Both are fed the same random values. Returns ratios by artifact and target, as ``Facts`` holds
    them; what only one side has, or what takes other inputs now, is left out.

    Raises:
        EdgecError: ``REPORT_UNREADABLE`` for the baseline; a 6xx code when a runtime cannot load or
            run a file.
    """
    known = {record["name"]: record for record in read_report(baseline)["artifacts"]}
    found = {}
    with Worker() as worker:
        for record in report.get("artifacts") or ():
            name, target = str(record.get("name")), str(record.get("runtime"))
            if name in known and known[name].get("runtime") == target:
                ratio = _ratio(worker, target, baseline / name, folder / name, seconds)
                found[name] = {} if ratio is None else {target: ratio}
    return found


def _ratio(
    worker: Worker, target: str, before: Path, after: Path, seconds: float
) -> dict[str, float] | None:
    sessions = [worker.open(target, path) for path in (before, after)]
    if sessions[0].interface.inputs != sessions[1].interface.inputs:
        return None
    first = sessions[0].interface.inputs[0].concrete()
    samples = random_samples(sessions[0].interface)
    feeds = samples.first_sample(first[0] if first else 1)
    entries = [
        Entry(label=label, session=session, feeds=feeds)
        for label, session in zip(("baseline", "current"), sessions, strict=True)
    ]
    before_times, after_times = time_models(worker, entries, LatencyOptions(budget_s=seconds))
    ratio = compare(before_times, after_times).ratio
    for session in sessions:
        session.close()
    return {"value": ratio.value, "low": ratio.low, "high": ratio.high}
