"""Models on a device: one job for all of them, and a cell of the benchmark for each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.accuracy import compare_accuracy
from bench.cell import Cell, percentiles_ms
from bench.latency import compare, latency_of
from bench.records import Accuracy, Cold, Interval, Latency, Verdict
from bench.size import measure_size
from bench.statistics import NOISY_WIDTH
from compressor.adapter import Adapter
from compressor.contenders import Contender, adapted
from compressor.errors import EdgecError
from compressor.evaluation import Samples
from runtimes.remote.job import DeviceResult, DeviceRun, Job, JobModel
from runtimes.remote.target import Place
from runtimes.targets import runtime, runtime_for

Array = npt.NDArray[Any]

_MOST_BYTES = 256 << 20
"""Samples that travel to a device: a small board keeps them in memory."""

_NS_PER_US = 1e3
_NS_PER_MS = 1e6
_NORMAL_95 = 1.96


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How a device is used: seconds a model, pauses between rounds, cores to run on."""

    seconds: float
    pause_s: float
    cores: tuple[int, ...]


def device_cells(
    text: str,
    place: Place,
    rivals: Sequence[Contender],
    samples: Samples,
    *,
    limits: Limits,
    folder: Path,
) -> list[Cell]:
    """Run *rivals*, the baseline first, on the device at *place*; failures become cells."""
    cells = {rival.name: Cell(model=rival.name, target=text) for rival in rivals}
    given = _given(samples)
    chosen: list[tuple[Contender, Path, Adapter]] = []
    for rival in rivals:
        try:
            path = rival.file_for(runtime(_runtime_there(rival, place)), folder)
        except EdgecError as error:
            cells[rival.name] = dataclasses.replace(cells[rival.name], error=error.to_json())
        else:
            chosen.append((rival, path, adapted(rivals[0].interface, rival.interface)))
    try:
        run = place.device.run(_job(chosen, given, place, limits)) if chosen else None
    except EdgecError as error:
        for rival, path, _ in chosen:
            cells[rival.name] = dataclasses.replace(
                cells[rival.name], size=measure_size(path), error=error.to_json()
            )
        run = None
    if run is not None:
        cells |= _filled(cells, chosen, run, samples, place)
    return [cells[rival.name] for rival in rivals]


def _runtime_there(rival: Contender, place: Place) -> str:
    """Return the runtime that runs the model's own file there, else the preferred one."""
    taking = [n for n in place.runtimes if rival.path.suffix in runtime(n).SUFFIXES]
    return (taking or list(place.runtimes))[0]


def _given(samples: Samples) -> dict[str, Array]:
    """Return what all models are run on: one sample, or as many as may travel to be judged by."""
    first = samples.first_batch()
    if samples.metric is None:
        return {name: array[:1] for name, array in first.items()}
    each = sum(array[0].nbytes for array in first.values())
    wanted = max(1, min(samples.count, _MOST_BYTES // max(1, each)))
    pieces: list[Mapping[str, Array]] = []
    for batch in samples.batches:
        pieces.append(batch)
        if sum(len(next(iter(piece.values()))) for piece in pieces) >= wanted:
            break
    return {name: np.concatenate([piece[name] for piece in pieces])[:wanted] for name in first}


def _job(
    chosen: Sequence[tuple[Contender, Path, Adapter]],
    given: Mapping[str, Array],
    place: Place,
    limits: Limits,
) -> Job:
    models = tuple(
        JobModel(
            path=path,
            samples=_in_order(adapter.feeds(given), rival),
            outputs=tuple(spec.name for spec in rival.interface.outputs),
        )
        for rival, path, adapter in chosen
    )
    return Job(
        models=models,
        threads=place.options.threads,
        optimize=place.options.optimize,
        seconds=limits.seconds * len(models),
        pause_s=limits.pause_s,
        cores=limits.cores,
    )


def _in_order(feeds: Mapping[str, Array], rival: Contender) -> dict[str, Array]:
    return {spec.name: feeds[spec.name] for spec in rival.interface.inputs}


def _filled(
    cells: Mapping[str, Cell],
    chosen: Sequence[tuple[Contender, Path, Adapter]],
    run: DeviceRun,
    samples: Samples,
    place: Place,
) -> dict[str, Cell]:
    made: dict[str, Cell] = {}
    first: Latency | None = None
    truth: Array | None = None
    for (rival, path, adapter), result in zip(chosen, run.results, strict=True):
        latency = _latency(result, rival.name, runtime_for(path).NAME, place.options.threads)
        found = next(iter(adapter.outputs(result.outputs).values())) if result.outputs else None
        truth = found if truth is None else truth
        timed = bool(result.elapsed_ns)
        made[rival.name] = dataclasses.replace(
            cells[rival.name],
            size=measure_size(path),
            latency=latency,
            percentiles_ms=percentiles_ms(latency) if timed else _told(result),
            ratio=compare(first, latency) if timed and first is not None else None,
            cold=Cold(
                process_ms=None,
                load_ms=result.load_ns / _NS_PER_MS,
                first_ms=result.first_ns / _NS_PER_MS,
            ),
            accuracy=_accuracy(samples, truth, found),
            device=_facts(run),
        )
        first = first or latency
    return made


def _latency(result: DeviceResult, label: str, name: str, threads: int) -> Latency:
    """Return the record of single times, or of a mean with its error where only sums are told."""
    if result.elapsed_ns:
        elapsed = np.asarray(result.elapsed_ns, np.int64)
        return latency_of(elapsed, result.repeats, label=label, runtime=name, threads=threads)
    mean = result.summary["avg"] * _NS_PER_US
    error = result.summary.get("std", 0.0) / math.sqrt(max(1.0, result.summary["count"]))
    slack = _NORMAL_95 * error * _NS_PER_US
    interval = Interval(value=mean, low=mean - slack, high=mean + slack)
    steady = interval.relative_width <= NOISY_WIDTH
    return Latency(
        label=label,
        runtime=name,
        threads=threads,
        median_ns=interval,
        verdict=Verdict.STABLE if steady else Verdict.NOISY,
        repeats=1,
        elapsed_ns=(),
    )


def _told(result: DeviceResult) -> dict[str, float] | None:
    """Return the percentiles that the device's program tells, in milliseconds."""
    known = {"p50": "median", "p95": "p95"}
    found = {q: result.summary[n] / 1e3 for q, n in known.items() if n in result.summary}
    return found or None


def _accuracy(samples: Samples, truth: Array | None, found: Array | None) -> Accuracy | None:
    if samples.metric is None or truth is None or found is None:
        return None
    labels = None if samples.labels is None else samples.labels[: len(found)]
    return compare_accuracy(samples.metric, truth, found, labels)


def _facts(run: DeviceRun) -> dict[str, Any]:
    return {
        **dataclasses.asdict(run.device),
        "peak_bytes": run.peak_bytes,
        "celsius": list(run.celsius),
        "megahertz": list(run.megahertz),
        "versions": dict(run.versions),
    }
