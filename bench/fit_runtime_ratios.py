"""Fit how libraries differ on one device.

    python -m bench.fit_runtime_ratios --data DATA/latency

Pairs are published times of one architecture on one chip, at one precision and number of threads,
under two libraries. Writes ``runtimes/simulator/runtime_ratios.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtimes.simulator.runtime_ratio import PATH
from runtimes.simulator.tables import Setting, read_operators, read_times

# Devices of the XNNPACK table, the same chip in ncnn's table, and the threads of "multi" there.
_CHIPS = {
    "RPi 3+ (BCM2837B0)": ("Raspberry Pi 3 Model B+ Broadcom BCM2837B0, Cortex-A53", "4"),
    "RPi 4 (BCM2711)": ("Raspberry Pi 4 Model B Broadcom BCM2711B0, Cortex-A72", "4"),
    "Pixel": ("Qualcomm MSM8996 Pro Snapdragon 821", ""),
    "Pixel 2": ("Qualcomm MSM8998 Snapdragon 835", ""),
}
_MODELS = {
    ("MobileNet v1 1.0X", "fp32"): ("mobilenet", "float"),
    ("MobileNet v2 1.0X", "fp32"): ("mobilenet_v2", "float"),
    ("MobileNet v3 Large", "fp32"): ("mobilenet_v3", "float"),
    ("MobileNet v1 1.0X", "int8"): ("mobilenet_int8", "int8"),
}
_LEAST_SPREAD = 0.2  # pairs are few: boards with one chip already differ by 8 to 24 %


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One architecture on one chip under both libraries, in milliseconds."""

    device: str
    model: str
    precision: str
    threads: str
    ncnn_ms: float
    xnnpack_ms: float


def pairs(published: Path, times: Mapping[Setting, Mapping[str, float]]) -> Iterator[Pair]:
    """Return all pairs of the table at *published* with ncnn's *times*."""
    with published.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["runtime"].startswith("XNNPACK")]
    for row in rows:
        chip, multi = _CHIPS.get(row["device"], ("", ""))
        model, precision = _MODELS.get((row["model"], row["precision"]), ("", ""))
        threads = "1" if row["threads"] == "1" else multi
        for setting, found in times.items():
            if (setting.device, setting.threads) == (chip, threads) and model in found:
                yield Pair(
                    device=row["device"],
                    model=row["model"],
                    precision=precision,
                    threads=threads,
                    ncnn_ms=found[model],
                    xnnpack_ms=float(row["latency_ms"]),
                )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and write the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.fit_runtime_ratios", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    data = parser.parse_args(arguments).data
    works = read_operators(data / "ncnn_graph_ops.csv")
    times = read_times(data / "ncnn_measured.csv", list(works))
    by_precision: dict[str, list[float]] = defaultdict(list)
    for pair in pairs(data / "other_published.csv", times):
        ratio = pair.xnnpack_ms / pair.ncnn_ms
        by_precision[pair.precision].append(float(np.log(ratio)))
        sys.stdout.write(
            f"{pair.device:20} {pair.model:20} {pair.precision:6} {pair.threads} threads: "
            f"XNNPACK {pair.xnnpack_ms:g} ms, ncnn {pair.ncnn_ms:g} ms, ratio {ratio:.2f}\n"
        )
    tree = {
        "made_by": "python -m bench.fit_runtime_ratios",
        "sources": ["google/XNNPACK:README.md (BSD-3-Clause)", "Tencent/ncnn (BSD-3-Clause)"],
        "ratios": {"ncnn->litert": {name: _summary(logs) for name, logs in by_precision.items()}},
    }
    PATH.write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
    return 0


def _summary(logs: Sequence[float]) -> dict[str, float]:
    spread = float(np.std(logs, ddof=1)) if len(logs) > 2 else 0.0
    return {
        "log_ratio": round(float(np.median(logs)), 4),
        "spread": round(max(spread, _LEAST_SPREAD), 4),
        "count": len(logs),
    }


if __name__ == "__main__":
    raise SystemExit(main())
