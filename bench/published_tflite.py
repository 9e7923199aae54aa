"""Published TFLite and XNNPACK times against the profiles: ``python -m bench.published_tflite``.

    python -m bench.published_tflite --data DATA/latency "MobileNet v2 1.0X=v2.tflite" ...

Each argument names a model as the published table does and gives the TFLite file that edgec made of
it. Rows of devices with a profile of the same chip are predicted and listed with their errors; the
pairs behind the ratio of the libraries are among them, and marked.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtimes.estimate import Estimate, estimate

# Devices of the published tables that have a profile of the same chip, and what "multi" is there.
CHIPS = {
    "RPi 3+ (BCM2837B0)": ("raspberry-pi-3", 4),
    "RPi 4 (BCM2711)": ("raspberry-pi-4", 4),
    "Pixel": ("snapdragon-821", 4),
    "Pixel 1": ("snapdragon-821", 4),
    "Pixel 2": ("snapdragon-835", 4),
}
_IN_THE_RATIO = ("MobileNet v1 1.0X", "MobileNet v2 1.0X", "MobileNet v3 Large")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One published time and its prediction, in milliseconds."""

    device: str
    target: str
    model: str
    published_ms: float
    found: Estimate
    in_the_ratio: bool

    @property
    def error(self) -> float | None:
        """Error as a share of the published time; None where the answer is UNKNOWN."""
        if self.found.latency_ms is None:
            return None
        return self.found.latency_ms.median / self.published_ms - 1


def predictions(published: Path, models: Mapping[str, Path]) -> Iterator[Row]:
    """Predict every float row of *published* about a model of *models* on a known chip."""
    with published.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["precision"] == "fp32"]
    answers: dict[tuple[str, str], Estimate] = {}
    for row in rows:
        if row["device"] not in CHIPS or row["model"] not in models or not row["latency_ms"]:
            continue
        device, multi = CHIPS[row["device"]]
        threads = 1 if row["threads"] == "1" else multi
        target = f"sim:{device},threads={threads}"
        key = (target, row["model"])
        if key not in answers:
            answers[key] = estimate(target, models[row["model"]])
        yield Row(
            device=row["device"],
            target=target,
            model=row["model"],
            published_ms=float(row["latency_ms"]),
            found=answers[key],
            in_the_ratio="XNNPACK" in row["runtime"]
            and row["model"] in _IN_THE_RATIO
            and (threads == 1 or device.startswith("raspberry")),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and the mean error by device."""
    parser = argparse.ArgumentParser(prog="python -m bench.published_tflite", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the published tables")
    parser.add_argument("models", nargs="+", metavar="NAME=FILE", help="models by published name")
    options = parser.parse_args(arguments)
    pairs = [text.rpartition("=") for text in options.models]
    found = list(
        predictions(
            options.data / "other_published.csv", {name: Path(path) for name, _, path in pairs}
        )
    )
    sys.stdout.write("".join(map(_line, found)))
    for device in sorted({row.device for row in found}):
        errors = [abs(r.error) for r in found if r.device == device and r.error is not None]
        if errors:
            sys.stdout.write(f"{device}: n {len(errors)}, MAPE {100 * np.mean(errors):.1f} %\n")
    return 0


def _line(row: Row) -> str:
    spread = row.found.latency_ms
    told = "unknown" if spread is None else f"{spread.median:.1f} ms"
    span = "" if spread is None else f" ({spread.low90:.1f}..{spread.high90:.1f})"
    error = "" if row.error is None else f", {100 * row.error:+.0f} %"
    mark = ", behind the ratio" if row.in_the_ratio else ""
    return (
        f"{row.device:20} {row.model:34} published {row.published_ms:g} ms, {row.target}: "
        f"{told}{span}{error}, {row.found.tier.name.lower()}{mark}\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
