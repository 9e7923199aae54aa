"""Models against targets: how fast, how big and how good each one is, and how sure that is."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.accuracy import compare_accuracy
from bench.cell import Cell, percentiles_ms
from bench.cold import measure_cold
from bench.environment import environment
from bench.latency import Entry, LatencyOptions, compare, time_models
from bench.records import Accuracy, Delegated
from bench.size import measure_size
from compressor.adapter import Adapter
from compressor.contenders import Contender, adapted, contenders
from compressor.dataset import open_dataset
from compressor.errors import Code, EdgecError
from compressor.evaluation import Samples, random_samples, samples_for
from compressor.ingest.options import IngestOptions
from compressor.on_device import Limits, device_cells
from compressor.progress import Notebook, Progress, Silent
from compressor.recipe import Recipe
from compressor.settings import plain
from runtimes import estimate as estimates
from runtimes.isolate import RemoteSession, Worker
from runtimes.remote.target import Place, is_remote, place_at
from runtimes.targets import Target, parse_target, runtime

Array = npt.NDArray[Any]

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What to measure and for how long.

    Attributes:
        seconds: of timing, for each model on each target.
        batch: samples in one inference, where the model's batch is open.
        pause_s: rest before each inference.
        cores: the processor's cores to run on; all that are allowed when empty.
        eval_samples: most samples to judge by.
    """

    seconds: float = 3.0
    batch: int = 1
    pause_s: float = 0.0
    cores: tuple[int, ...] = ()
    eval_samples: int = 10_000


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """All cells, targets by targets in the order asked for, with what a reader must know."""

    cells: tuple[Cell, ...]
    options: BenchOptions
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the run as a JSON-ready mapping: raw times, environment and settings included."""
        return {
            "schema_version": SCHEMA_VERSION,
            "cells": [cell.to_json() for cell in self.cells],
            "options": {k: plain(v) for k, v in dataclasses.asdict(self.options).items()},
            "environment": environment().to_json(),
            "notes": list(self.notes),
        }


def run_benchmark(
    models: tuple[str, ...],
    targets: tuple[str, ...],
    *,
    data: Path | None = None,
    options: BenchOptions | None = None,
    ingest: IngestOptions | None = None,
    progress: Progress | None = None,
) -> Benchmark:
    """Measure every one of *models* on every one of *targets*.

    What a target refuses becomes a cell with the error; the rest goes on. Models are timed in the
    same rounds of one child process for each target, the first one being the baseline.

    Raises:
        EdgecError: for a model, a target's name or data that cannot be used at all; when nothing
            could be measured, the first refusal.
    """
    notebook, options = Notebook(progress or Silent()), options or BenchOptions()
    parsed = {text: _parsed(text) for text in targets}
    notebook.stage("read")
    rivals = contenders(models, ingest or IngestOptions())
    samples = _samples(rivals[0], data, options, notebook)
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        for text, target in parsed.items():
            notebook.stage(text)
            if target is None:
                cells += [_estimated(text, rival, Path(folder)) for rival in rivals]
            elif isinstance(target, Place):
                limits = Limits(
                    seconds=options.seconds, pause_s=options.pause_s, cores=options.cores
                )
                cells += device_cells(
                    text, target, rivals, samples, limits=limits, folder=Path(folder)
                )
            else:
                cells += _Round(
                    text=text,
                    target=target,
                    rivals=rivals,
                    samples=samples,
                    options=options,
                    folder=Path(folder),
                ).cells()
    _raise_if_all_failed(cells)
    return Benchmark(cells=tuple(cells), options=options, notes=tuple(notebook.notes))


@dataclass(kw_only=True)
class _Round:
    """All models on one target.

    Attributes:
        target: the runtime and its options; *text* is how the user wrote them.
        rivals: the models, the baseline first.
        samples: what they are judged by; the first ones are what they are timed on.
        folder: for files made for this target.
    """

    text: str
    target: Target
    rivals: Sequence[Contender]
    samples: Samples
    options: BenchOptions
    folder: Path
    _truth: Array | None = None

    def cells(self) -> list[Cell]:
        """Return a cell a model; those that do not run carry the error."""
        cells = {rival.name: self._cold(rival) for rival in self.rivals}
        running = [rival for rival in self.rivals if cells[rival.name].error is None]
        if running:
            with Worker() as worker:
                if self.options.cores:
                    worker.pin(self.options.cores)
                cells |= self._timed(worker, running, cells)
        return [cells[rival.name] for rival in self.rivals]

    def _cold(self, rival: Contender) -> Cell:
        """Start a process for *rival* alone: does it run at all, how soon, in how much memory."""
        cell = Cell(model=rival.name, target=self.text)
        try:
            path = rival.file_for(self.target.runtime, self.folder)
            feeds = self._adapter(rival).feeds(self._given())
            cold, memory = measure_cold(
                self.target.name, path, feeds, self.target.options, cores=self.options.cores
            )
        except EdgecError as error:
            return dataclasses.replace(cell, error=error.to_json())
        return dataclasses.replace(cell, size=measure_size(path), cold=cold, memory=memory)

    def _timed(
        self, worker: Worker, running: Sequence[Contender], cells: Mapping[str, Cell]
    ) -> dict[str, Cell]:
        sessions = [self._open(worker, rival) for rival in running]
        entries = [
            Entry(label=r.name, session=session, feeds=self._adapter(r).feeds(self._given()))
            for r, session in zip(running, sessions, strict=True)
        ]
        budget = self.options.seconds * len(entries)
        settings = LatencyOptions(budget_s=budget, pause_s=self.options.pause_s)
        latencies = time_models(worker, entries, settings)
        made = {}
        for rival, session, latency in zip(running, sessions, latencies, strict=True):
            split = session.delegation
            made[rival.name] = dataclasses.replace(
                cells[rival.name],
                latency=latency,
                percentiles_ms=percentiles_ms(latency),
                ratio=None if latency is latencies[0] else compare(latencies[0], latency),
                delegated=None if split is None else Delegated(**dataclasses.asdict(split)),
                accuracy=self._accuracy(rival, session),
            )
        return made

    def _open(self, worker: Worker, rival: Contender) -> RemoteSession:
        path = rival.file_for(self.target.runtime, self.folder)
        return worker.open(self.target.name, path, self.target.options)

    def _accuracy(self, rival: Contender, session: RemoteSession) -> Accuracy | None:
        """Judge the first output against the first model's on this target."""
        metric, adapter = self.samples.metric, self._adapter(rival)
        if metric is None:
            return None
        name = adapter.source.outputs[0].name
        found = np.concatenate(
            [
                adapter.outputs(session.run_many(adapter.feeds(batch)))[name]
                for batch in self.samples.batches
            ]
        )
        if self._truth is None:
            self._truth = found
        return compare_accuracy(metric, self._truth, found, self.samples.labels)

    def _given(self) -> dict[str, Array]:
        """Return the feeds of one inference, as the first model takes them."""
        return _sized(self.samples.first_sample(self.options.batch), self.options.batch)

    def _adapter(self, rival: Contender) -> Adapter:
        return adapted(self.rivals[0].interface, rival.interface)


def _samples(
    first: Contender, data: Path | None, options: BenchOptions, notebook: Notebook
) -> Samples:
    """Return what all models are run on: samples of the first one's interface."""
    if data is None or first.source is None:
        return random_samples(first.interface, max(options.batch, 8))
    recipe = Recipe(eval_samples=options.eval_samples)
    return samples_for(first.source, open_dataset(data), recipe, notebook)


def _sized(feeds: Mapping[str, Array], batch: int) -> dict[str, Array]:
    """Return *feeds* repeated to *batch* samples where there are fewer."""
    return {
        name: np.ascontiguousarray(np.resize(array, (batch, *array.shape[1:])))
        if len(array) < batch
        else array
        for name, array in feeds.items()
    }


def _estimated(text: str, rival: Contender, folder: Path) -> Cell:
    """Return what a target that is not here answers for *rival*."""
    cell = Cell(model=rival.name, target=text)
    try:
        path = rival.path if rival.path.is_file() else None
        if path is None:
            path = rival.file_for(runtime("ort"), folder)
        found = estimates.estimate(text, path)
    except EdgecError as error:
        return dataclasses.replace(cell, error=error.to_json())
    tree = dataclasses.asdict(found) | {"tier": found.tier.name.lower()}
    return dataclasses.replace(cell, size=measure_size(path), estimate=tree)


def _parsed(text: str) -> Target | Place | None:
    """Return a runtime here, a device elsewhere, or None for what answers with an estimate."""
    if is_remote(text):
        return place_at(text)
    return None if estimates.is_estimated(text) else parse_target(text)


def _raise_if_all_failed(cells: Sequence[Cell]) -> None:
    """Raise the first error when there is nothing else to show."""
    errors = [cell.error for cell in cells]
    if errors and all(errors) and errors[0] is not None:
        first = errors[0]
        raise EdgecError(
            Code.find(first["code"]) or Code.INTERNAL,
            first["what"],
            where=first["where"],
            expected=first["expected"],
            hint=first["try"],
        )
