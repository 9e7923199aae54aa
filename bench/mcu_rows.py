"""Published MLPerf Tiny results as settings of boards: ``mlperf_tiny_measured.csv``."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtimes.simulator.transfer import BoardSetting

TASKS = ("ad", "ic", "kws", "vww")
_LEAST_TASKS = 3
# Engines by what their rows say; the first that is found.
_ENGINES = {
    "plumerai": "plumerai",
    "x-cube-ai": "x-cube-ai",
    "microtvm_native": "microtvm",
    "microtvm-native": "microtvm",
    "cmsis": "cmsis-nn",
    "onnc": "onnc",
    "tflite-micro": "tflite-micro",
    "tflite_micro": "tflite-micro",
    "renesas": "renesas",
    "stmicro": "x-cube-ai",
}
_CORES = {"M4": "Cortex-M4", "M7": "Cortex-M7", "M33": "Cortex-M33", "D25F": "AndesCore D25F",
          "D45": "AndesCore D45", "RXv2": "Renesas RXv2"}  # fmt: skip
_UNSTATED = {"NRF5340-DK": ("Cortex-M33", 128.0), "NUCLEO-L4R5ZI": ("Cortex-M4", 120.0)}


@dataclass(frozen=True, kw_only=True)
class BoardRows:
    """One submission: its setting, its clock in MHz, and millijoules by task where measured."""

    setting: BoardSetting
    clock_mhz: float
    energy_mj: Mapping[str, float]


def read_boards(path: Path) -> list[BoardRows]:
    """Return the closed-division submissions on plain cores with at least three of the tasks."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if _is_core(row)]
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        key = (row["device"], row["runtime_version"], row["submitter"], row["system_id"])
        groups.setdefault(key, []).append(row)
    found = [_rows(group) for group in groups.values()]
    return [each for each in found if len(each.setting.log_ms) >= _LEAST_TASKS]


def _is_core(row: Mapping[str, str]) -> bool:
    other = ("syntiant", "NDP", "Snapdragon")
    plain = not row["accelerator"] and not row["device"].startswith(other)
    return row["division"] == "closed" and plain


def _rows(group: list[dict[str, str]]) -> BoardRows:
    first = group[0]
    text = " ".join(first[k] for k in ("runtime", "system_id", "software", "submitter")).lower()
    engine = next((name for mark, name in _ENGINES.items() if mark in text), first["submitter"])
    board = _board(first)
    core, clock = _UNSTATED.get(board, ("unknown", 0.0))
    core = next((name for mark, name in _CORES.items() if mark in first["core"]), core)
    stated = re.match(r"\s*(\d+)", first["freq"])
    times = {
        row["task"]: math.log(float(row["latency_ms"]))
        for row in group
        if row["mode"] == "performance"
    }
    return BoardRows(
        setting=BoardSetting(
            board=board, core=core, engine=engine, version=first["runtime_version"], log_ms=times
        ),
        clock_mhz=float(stated.group(1)) if stated else clock,
        energy_mj={
            row["task"]: float(row["energy_mj"])
            for row in group
            if row["mode"] == "energy" and row["energy_mj"]
        },
    )


def _board(row: Mapping[str, str]) -> str:
    """One name for a board, however its submitters spell it."""
    named = row["device"] if "microtvm" not in row["device"] else row["system_id"].split("/")[-1]
    return named.upper().replace("_", "-").replace(" DK", "-DK").split(",")[0]
