"""Predictions for devices and model families that the fit never saw, and how far off they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtimes.simulator.anchors import choose_anchors, measured_device, predict
from runtimes.simulator.features import Vector, quantities
from runtimes.simulator.intervals import LEVELS, interval_scale
from runtimes.simulator.population import Measurements, fit_population
from runtimes.simulator.tables import Setting
from runtimes.simulator.work import Work

Flags = npt.NDArray[np.bool_]

_LEAST_MODELS = 8  # a setting with fewer times is too thin to learn from and to judge


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One time that was left out, with its prediction.

    Attributes:
        fold: which devices were left out together with *family*.
        log_ms: measured; predicted, deviation: of the model; macs_only: what MACs alone say.
        anchors: the models whose times on the device were known.
    """

    setting: Setting
    model: str
    family: str
    fold: int
    log_ms: float
    predicted: float
    deviation: float
    macs_only: float
    anchors: tuple[str, ...]

    @property
    def error(self) -> float:
        """Absolute error of the predicted time, as a share of the measured one."""
        return abs(float(np.expm1(self.predicted - self.log_ms)))

    @property
    def baseline_error(self) -> float:
        """Absolute error of the time that MACs alone predict."""
        return abs(float(np.expm1(self.macs_only - self.log_ms)))

    @property
    def score(self) -> float:
        """Error of the log time in stated deviations."""
        return abs(self.predicted - self.log_ms) / self.deviation


@dataclass(frozen=True, kw_only=True)
class Study:
    """All times of some settings as arrays, with what has to be left out together.

    Attributes:
        settings: devices in the rows; models: in the columns; data: their quantities and times.
        macs: [models]; family: of each model.
        prior: log prices expected of such devices, where they are no usual CPUs.
    """

    settings: tuple[Setting, ...]
    models: tuple[str, ...]
    data: Measurements
    macs: Vector
    family: tuple[str, ...]
    prior: Vector | None = None


def make_study(
    works: Mapping[str, Sequence[Work]],
    times: Mapping[Setting, Mapping[str, float]],
    family: Mapping[str, str],
    *,
    least: int = _LEAST_MODELS,
    prior: Vector | None = None,
) -> Study:
    """Arrange *times* (milliseconds) of models with operators *works*, *least* times a setting."""
    models = tuple(sorted(works))
    settings = tuple(s for s in times if len(times[s]) >= least)
    log_ms = np.zeros((len(settings), len(models)))
    seen = np.zeros_like(log_ms)
    for row, setting in enumerate(settings):
        for model, time in times[setting].items():
            column = models.index(model)
            log_ms[row, column], seen[row, column] = np.log(time), 1.0
    table = np.array([quantities(works[model]) for model in models])
    return Study(
        settings=settings,
        models=models,
        data=Measurements(quantities=table, log_ms=log_ms, seen=seen),
        macs=np.array([max(1, sum(work.macs for work in works[model])) for model in models], float),
        family=tuple(family[model] for model in models),
        prior=prior,
    )


def leave_out(
    study: Study, *, anchors: int, folds: int, seed: int = 0, independent: bool = False
) -> list[Prediction]:
    """Predict every time from a fit that saw neither its device nor its model's family.

    Devices are left out in *folds* groups, whole; of a left-out device only the times of *anchors*
    models of other families are known, chosen without looking at any time. With *independent* the
    device's prices are taken as a profile stores them: each with its own spread.
    """
    fold_of = _folds([setting.device for setting in study.settings], folds, seed)
    found: list[Prediction] = []
    for family in sorted(set(study.family)):
        for fold in range(folds):
            out = fold_of == fold
            if out.any() and not out.all():
                found += _leave_out_one(
                    study, family, fold, out, anchors=anchors, independent=independent
                )
    return found


def _folds(devices: Sequence[str], folds: int, seed: int) -> npt.NDArray[np.int64]:
    names = sorted(set(devices))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[device]: place % folds for place, device in enumerate(order)}
    return np.array([fold[device] for device in devices])


def _leave_out_one(
    study: Study, family: str, fold: int, out: Flags, *, anchors: int, independent: bool
) -> list[Prediction]:
    kept = np.array([name != family for name in study.family])
    data = study.data
    train = Measurements(
        quantities=data.quantities[kept],
        log_ms=data.log_ms[~out][:, kept],
        seen=data.seen[~out][:, kept],
    )
    population = fit_population(train, study.prior)
    found: list[Prediction] = []
    for row in np.flatnonzero(out):
        known = np.flatnonzero(kept & (data.seen[row] > 0))
        goals = np.flatnonzero(~kept & (data.seen[row] > 0))
        if not len(known) or not len(goals):
            continue
        chosen = known[choose_anchors(population, data.quantities[known], anchors)]
        device = measured_device(population, data.quantities[chosen], data.log_ms[row, chosen])
        if independent:
            device = device.independent()
        predicted, variance = predict(device, population.noise, data.quantities[goals])
        speed = float((data.log_ms[row, chosen] - np.log(study.macs[chosen])).mean())
        found += [
            Prediction(
                setting=study.settings[row],
                model=study.models[goal],
                family=family,
                fold=fold,
                log_ms=float(data.log_ms[row, goal]),
                predicted=float(predicted[place]),
                deviation=float(np.sqrt(variance[place])),
                macs_only=speed + float(np.log(study.macs[goal])),
                anchors=tuple(study.models[anchor] for anchor in chosen),
            )
            for place, goal in enumerate(goals)
        ]
    return found


def covered(predictions: Sequence[Prediction]) -> dict[float, float]:
    """Return, by level, the share of times inside intervals calibrated elsewhere.

    The scale for one device and family comes from the errors on all other devices, on all other
    families.
    """
    inside = dict.fromkeys(LEVELS, 0)
    scores = np.array([p.score for p in predictions])
    fold = np.array([p.fold for p in predictions])
    family = np.array([p.family for p in predictions])
    for group in {(p.fold, p.family) for p in predictions}:
        mine = (fold == group[0]) & (family == group[1])
        others = scores[(fold != group[0]) & (family != group[1])]
        for level in LEVELS:
            inside[level] += int((scores[mine] <= interval_scale(others, level)).sum())
    return {level: count / len(predictions) for level, count in inside.items()}
