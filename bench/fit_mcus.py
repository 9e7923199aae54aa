"""Fit the microcontroller files: ``python -m bench.fit_mcus --data SHARED``.

One file a board in ``runtimes/devices``, one profile an engine: its newest submission to MLPerf
Tiny. With four tasks a board prices are known roughly, and the intervals say so.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.mcu_rows import BoardRows, read_boards
from bench.mcu_tasks import read_tasks
from runtimes.simulator.anchors import measured_device
from runtimes.simulator.crossvalidation import Study, leave_out, make_study
from runtimes.simulator.features import NAMES, Vector, base_name
from runtimes.simulator.fitting import make_profile
from runtimes.simulator.intervals import LEVELS, interval_scale
from runtimes.simulator.population import fit_population
from runtimes.simulator.profile import Core, Device, Fit, Profile, Source
from runtimes.simulator.shipped import PATH
from runtimes.simulator.tables import Setting
from runtimes.simulator.writing import device_text

_DEVICES = PATH.parents[1] / "devices"
_SOURCE, _LICENCE = "https://github.com/mlcommons/tiny_results", "Apache-2.0"
_ISA = {"Cortex-M4": "ARMv7E-M", "Cortex-M7": "ARMv7E-M", "Cortex-M33": "ARMv8-M Mainline",
        "Renesas RXv2": "RXv2"}  # fmt: skip
_ALL, _FOLDS = 99, 5

# Prices in MACs of a 1x1 convolution on a core without vector registers or caches: 3x3
# convolutions are not transformed (36 counted products stand for 144 MACs), an exponential is a
# table, an operator some thousand cycles.
_PRICES = {
    "gemm_mac": 1.0, "gemm_traffic": 4.0, "winograd_mac": 4.0, "winograd_transform": 1.0,
    "conv_mac": 1.0, "conv_gather": 2.0, "stem_mac": 1.3, "depthwise_mac": 3.0,
    "depthwise_traffic": 4.0, "weight": 1.0, "dense_weight": 1.2, "element": 6.0, "moved": 4.0,
    "transcendental": 20.0, "spilled": 0.1, "unpacked_mac": 0.1, "dispatch": 2000.0,
}  # fmt: skip


def prior() -> Vector:
    """Return the log prices expected of a microcontroller, in the order of ``NAMES``."""
    return np.log([_PRICES[base_name(name)] for name in NAMES])


def make_mcu_study(data: Path) -> tuple[Study, list[BoardRows]]:
    """Return all submissions as a study, its settings in the order of the returned rows."""
    boards = read_boards(data / "latency" / "mlperf_tiny_measured.csv")
    works = read_tasks(data / "models")
    times = {
        _setting(place, rows): {task: math.exp(log) for task, log in rows.setting.log_ms.items()}
        for place, rows in enumerate(boards)
    }
    family = {task: task for task in works}
    return make_study(works, times, family, least=3, prior=prior()), boards


def _setting(place: int, rows: BoardRows) -> Setting:
    """The board is what is left out; *place* keeps its submissions apart."""
    return Setting(
        device=rows.setting.board,
        chip=rows.setting.core,
        threads="1",
        cores="all",
        run=str(place),
        date=rows.setting.version,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and write all files."""
    parser = argparse.ArgumentParser(prog="python -m bench.fit_mcus", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with latency and models")
    study, boards = make_mcu_study(parser.parse_args(arguments).data)
    predictions = leave_out(study, anchors=_ALL, folds=_FOLDS, independent=True)
    low, high = (interval_scale([p.score for p in predictions], level) for level in LEVELS)
    errors = defaultdict(list)
    for p in predictions:
        errors[p.setting].append(p.error)
    sys.stdout.write(f"MAPE {100 * np.mean([p.error for p in predictions]):.1f} %\n")
    newest: dict[tuple[str, str], int] = {}
    for place, rows in enumerate(boards):
        key = (rows.setting.board, rows.setting.engine)
        if key not in newest or rows.setting.version >= boards[newest[key]].setting.version:
            newest[key] = place
    by_board: dict[str, list[Profile]] = defaultdict(list)
    population = fit_population(study.data, study.prior)
    for (board, _), place in sorted(newest.items()):
        device = measured_device(population, *_times(study, place))
        mape = 100 * float(np.mean(errors[study.settings[place]]))
        facts = _facts(boards[place], mape)
        by_board[board].append(make_profile(device, population.noise, (low, high), **facts))
    for board, profiles in by_board.items():
        _write(board, profiles)
    return 0


def _times(study: Study, place: int) -> tuple[np.ndarray, np.ndarray]:
    seen = np.flatnonzero(study.data.seen[place])
    return study.data.quantities[seen], study.data.log_ms[place, seen]


def _facts(rows: BoardRows, mape: float) -> dict[str, object]:
    setting = rows.setting
    powers = [mj / math.exp(setting.log_ms[t]) * 1e3 for t, mj in rows.energy_mj.items()]
    spread = float(np.std(np.log(powers), ddof=1)) if len(powers) > 2 else 0.1
    return {
        "runtime": setting.engine,
        "threads": 1,
        "cores": "all",
        "core": Core(
            name=setting.core, isa=_ISA.get(setting.core, "RV32"), clock_mhz=rows.clock_mhz
        ),
        "float_arithmetic": "fp32",
        "precisions": ("int8",),
        "anchors": tuple(sorted(setting.log_ms)),
        "fit": Fit(models=len(setting.log_ms), mape_percent=round(mape, 1)),
        "source": Source(
            at=_SOURCE, rows=f"{setting.board}, {setting.engine}", licence=_LICENCE,
            date=setting.version,
        ),
        "power_mw": float(np.median(powers)) if powers else None,
        "power_spread": max(spread, 0.05) if powers else 0.0,
    }  # fmt: skip


def _write(board: str, profiles: Sequence[Profile]) -> None:
    name = board.lower().replace("/", "-")
    core = profiles[0].core
    device = Device(
        name=name, title=board, chip=f"{core.name} {core.clock_mhz:g} MHz", profiles=tuple(profiles)
    )
    text = device_text(device, heading="Made by python -m bench.fit_mcus; do not edit.")
    (_DEVICES / f"{name}.toml").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{name}: {', '.join(p.runtime for p in profiles)}\n")


if __name__ == "__main__":
    raise SystemExit(main())
