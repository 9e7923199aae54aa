"""Run samples through the float graph and watch the tensors that will become integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.moments import MomentsObserver, PatchGeometry
from compressor.calibration.table import CalibrationTable, TensorStatistics
from compressor.errors import Code, EdgecError
from compressor.ir.fingerprint import fingerprint

Feeds = Mapping[str, npt.NDArray[np.generic]]
Run = Callable[[Feeds], Sequence[npt.NDArray[np.float32]]]
RunnerFactory = Callable[[ir.Model, Sequence[str]], Run]


class Observer(Protocol):
    """A running summary of one tensor, of constant size."""

    def update(self, values: npt.NDArray[np.float32]) -> None:
        """Take in one batch of values."""
        ...

    def result(self) -> TensorStatistics:
        """Return the summary so far."""
        ...


def collect(
    model: ir.Model,
    names: Sequence[str],
    batches: Iterable[Feeds],
    *,
    make_runner: RunnerFactory,
    make_observer: Callable[[], Observer],
    layers: Sequence[ir.Node] = (),
    progress: Callable[[int], None] | None = None,
) -> CalibrationTable:
    """Observe the values *names* of *model* over *batches*; memory does not grow with them.

    Args:
        model: the float graph.
        names: values to observe, in no particular order; graph inputs are allowed.
        batches: feeds by input name, first axis the samples.
        make_runner: given by the caller, executes the graph and returns the named values.
        make_observer: makes one observer per value.
        layers: nodes of *model* whose input moments are wanted as well.
        progress: told the number of samples after each batch.

    Raises:
        EdgecError: ``FLOAT_NOT_FINITE`` when a value is NaN or infinite, naming the first one.
    """
    observers = {name: make_observer() for name in names}
    moments = _moment_observers(layers)
    inputs = {value.name for value in model.graph.inputs}
    wanted = dict.fromkeys([*names, *(source for source, _ in moments.values())])
    computed = [name for name in wanted if name not in inputs]
    run = make_runner(model, computed) if computed else run_nothing
    samples = 0
    for feeds in batches:
        seen = {**feeds, **dict(zip(computed, run(feeds), strict=True))}
        for name, observer in observers.items():
            observer.update(np.asarray(seen[name], np.float32))
        for source, layer in moments.values():
            layer.update(np.asarray(seen[source], np.float32))
        samples += len(next(iter(feeds.values())))
        if progress is not None:
            progress(samples)
    tensors = {name: observer.result() for name, observer in observers.items()}
    _check_finite(model, tensors)
    return CalibrationTable(
        fingerprint=fingerprint(model),
        samples=samples,
        tensors=tensors,
        moments={name: layer.result() for name, (_, layer) in moments.items()},
    )


def run_nothing(feeds: Feeds) -> Sequence[npt.NDArray[np.float32]]:  # noqa: ARG001
    """Stand in for the graph when nothing that it computes is wanted."""
    return ()


def _moment_observers(layers: Sequence[ir.Node]) -> dict[str, tuple[str, MomentsObserver]]:
    """Return an observer and the value it watches for each layer with an explicit geometry."""
    observers = {}
    for node in layers:
        geometry, source = PatchGeometry.of(node), node.inputs[0]
        if geometry is not None and source is not None:
            observers[node.name or ""] = (source.name or "", MomentsObserver(geometry))
    return observers


def _check_finite(model: ir.Model, tensors: Mapping[str, TensorStatistics]) -> None:
    for node in model.graph:
        for value in node.outputs:
            found = tensors.get(value.name or "")
            if found is not None and not (np.isfinite(found.low) and np.isfinite(found.high)):
                raise EdgecError(
                    Code.FLOAT_NOT_FINITE,
                    f"'{value.name}' becomes NaN or infinite on the calibration data",
                    where=f"node '{node.name}' ({node.op_type})",
                    expected="finite activations of the float model",
                    hint="check the preprocessing (divide, mean, std) and the model itself",
                )
