"""Fit the device files that come with edgec: ``python -m bench.fit_devices --data DATA/latency``.

Writes ``runtimes/simulator/populations.json`` and a file for each entry of ``fitted_devices.toml``
into ``runtimes/devices``. The same data and versions give the same files.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtimes.simulator.anchors import measured_device
from runtimes.simulator.crossvalidation import Prediction, Study, leave_out, make_study
from runtimes.simulator.features import NAMES, Matrix
from runtimes.simulator.fitting import make_profile
from runtimes.simulator.intervals import LEVELS, interval_scale
from runtimes.simulator.population import Population, fit_population
from runtimes.simulator.profile import Core, Device, Fit, Profile, Source
from runtimes.simulator.shipped import PATH
from runtimes.simulator.tables import Setting, families, read_operators, read_times
from runtimes.simulator.writing import device_text

_DEVICES = PATH.parents[1] / "devices"
_ENTRIES = Path(__file__).parent / "fitted_devices.toml"
_CLASSES = {"one": ("1",), "several": ("2", "4", "6", "8")}
_ALL = 1_000
_ANCHORS = (3, 5, _ALL)
_FOLDS = 4
_CORES = {"0": "all", "1": "little", "2": "big"}
_SOURCE, _LICENCE = "https://github.com/Tencent/ncnn, benchmark/README.md", "BSD-3-Clause"

_ARMV7 = ("Cortex-A5", "Cortex-A7", "Cortex-A9", "Cortex-A17")
_ARMV8 = ("Cortex-A53", "Cortex-A57", "Cortex-A72", "Cortex-A73", "Kryo", "Denver 2", "Cyclone",
          "FTC663")  # fmt: skip
_FP16_ONLY = ("Carmel",)
_ARMV82 = ("Cortex-A55", "Cortex-A76", "Cortex-A78", "Cortex-X1", "TaiShan V110", "Firestorm",
           "FTC664", "FTC310")  # fmt: skip
_ARMV86 = ("Cortex-A510", "Cortex-A520", "Cortex-A720", "Cortex-X3", "Cortex-X4", "Oryon",
           "Apple M3")  # fmt: skip
_X86 = ("Intel Core i7", "Tremont", "Airmont", "Zen", "Zen 3")
_RISCV = ("SiFive U74", "C910", "C906", "Spacemit X60")


@dataclass(frozen=True, kw_only=True)
class _Class:
    """Settings with like numbers of threads, fitted together."""

    study: Study
    population: Population
    scales: Mapping[int, tuple[float, float]]
    errors: Mapping[Setting, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and write all files."""
    parser = argparse.ArgumentParser(prog="python -m bench.fit_devices", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    options = parser.parse_args(arguments)
    works = read_operators(options.data / "ncnn_graph_ops.csv")
    times = read_times(options.data / "ncnn_measured.csv", list(works))
    entries = tomllib.loads(_ENTRIES.read_text(encoding="utf-8"))
    for name, entry in entries.items():
        if not any(_is_of(setting, entry) for setting in times):
            raise SystemExit(f"{name}: no rows of '{entry['device']}'")
    family = families(works)
    fitted = {
        name: _fit(
            make_study(works, {s: t for s, t in times.items() if s.threads in counts}, family)
        )
        for name, counts in _CLASSES.items()
    }
    PATH.write_text(_populations_text(fitted), encoding="utf-8")
    for device in _devices(fitted, entries):
        text = device_text(device, heading="Made by python -m bench.fit_devices; do not edit.")
        (_DEVICES / f"{device.name}.toml").write_text(text, encoding="utf-8")
        sys.stdout.write(f"{device.name}: {len(device.profiles)} profiles\n")
    return 0


def _fit(study: Study) -> _Class:
    scales = {}
    predictions: list[Prediction] = []
    for anchors in _ANCHORS:
        predictions = leave_out(study, anchors=anchors, folds=_FOLDS, independent=True)
        scores = [p.score for p in predictions]
        low, high = (interval_scale(scores, level) for level in LEVELS)
        scales[anchors] = (round(low, 3), round(high, 3))
    return _Class(
        study=study,
        population=fit_population(study.data),
        scales=scales,
        errors={
            setting: 100 * float(np.mean([p.error for p in predictions if p.setting == setting]))
            for setting in study.settings
        },
    )


def _populations_text(fitted: Mapping[str, _Class]) -> str:
    study = fitted["one"].study
    tree: dict[str, Any] = {
        "made_by": "python -m bench.fit_devices",
        "source": _SOURCE,
        "licence": _LICENCE,
        "prices": NAMES,
        "models": dict(zip(study.models, _rounded(study.data.quantities), strict=True)),
    }
    for name, each in fitted.items():
        half = each.population.covariance[np.tril_indices(len(NAMES))]
        tree[name] = {
            "settings": len(each.study.settings),
            "noise": round(each.population.noise, 6),
            "scales": {str(count): scales for count, scales in each.scales.items()},
            "mean": _rounded(each.population.mean[None])[0],
            "covariance": _rounded(half[None])[0],
        }
    return json.dumps(tree, separators=(",", ":")) + "\n"


def _rounded(rows: Matrix) -> list[list[float]]:
    return [[float(f"{value:.6g}") for value in row] for row in rows]


def _is_of(setting: Setting, entry: Mapping[str, Any]) -> bool:
    return setting.device == entry["device"] and entry.get("chip", "") in setting.chip


def _devices(
    fitted: Mapping[str, _Class], entries: Mapping[str, Mapping[str, Any]]
) -> Iterator[Device]:
    for name, entry in entries.items():
        profiles = [
            (setting, _profile(each, row, entry))
            for each in fitted.values()
            for row, setting in enumerate(each.study.settings)
            if _is_of(setting, entry)
        ]
        latest: dict[tuple[int, str], tuple[str, Profile]] = {}
        for setting, profile in profiles:
            key = (profile.threads, profile.cores)
            if key not in latest or setting.date > latest[key][0]:
                latest[key] = (setting.date, profile)
        if not profiles:
            continue  # only run on more threads than the fitted classes have
        yield Device(
            name=name,
            title=entry["device"],
            chip=profiles[0][0].chip,
            profiles=tuple(latest[key][1] for key in sorted(latest)),
        )


def _profile(each: _Class, row: int, entry: Mapping[str, Any]) -> Profile:
    study, setting = each.study, each.study.settings[row]
    seen = np.flatnonzero(study.data.seen[row])
    device = measured_device(
        each.population, study.data.quantities[seen], study.data.log_ms[row, seen]
    )
    core = _core(entry["cores"], setting.cores)
    models = tuple(study.models[column] for column in seen)
    integer = any(model.endswith("int8") for model in models)
    return make_profile(
        device,
        each.population.noise,
        each.scales[_ALL],
        runtime="ncnn",
        threads=int(setting.threads),
        cores=_CORES[setting.cores],
        core=core,
        float_arithmetic="fp16" if core.fp16 else "fp32",
        precisions=("float", "int8") if integer else ("float",),
        anchors=models,
        fit=Fit(models=len(models), mape_percent=round(each.errors[setting], 1)),
        source=Source(at=_SOURCE, rows=_rows(setting), licence=_LICENCE, date=setting.date),
    )


def _rows(setting: Setting) -> str:
    powersave = {"0": "all cores", "1": "little cores", "2": "big cores"}[setting.cores]
    return f"{setting.device}, {setting.threads} threads, {powersave}, run {setting.run}"


def _core(cores: Mapping[str, int], which: str) -> Core:
    names = list(cores)
    name = names[-1] if which == "1" else names[0]
    isa = _isa(name)
    return Core(
        name=name,
        isa=isa,
        clock_mhz=float(cores[name]),
        fp16=isa in ("ARMv8.2-A", "ARMv8.6-A", "ARMv9-A") or name in _FP16_ONLY,
        dot_product=isa in ("ARMv8.2-A", "ARMv9-A"),
    )


def _isa(core: str) -> str:
    for names, isa in (
        (_ARMV7, "ARMv7-A"),
        (_ARMV8, "ARMv8.0-A"),
        (_FP16_ONLY, "ARMv8.2-A"),
        (_ARMV82, "ARMv8.2-A"),
        (_ARMV86, "ARMv9-A"),
        (_X86, "x86-64"),
        (_RISCV, "RV64"),
    ):
        if core in names:
            return isa
    return "LoongArch or MIPS"


if __name__ == "__main__":
    raise SystemExit(main())
