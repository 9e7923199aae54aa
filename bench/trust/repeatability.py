"""Whether `edgec bench` says the same again: one ratio, measured by separate runs under load.

    python bench/trust/repeatability.py FLOAT INT8 [--on ort] [--runs 10] [--busy 1] [--seconds 3]

Runs the benchmark in processes of its own with busy loops beside it, prints each ratio with its
95 % interval, and how many of the intervals hold the median of all runs. Nine of ten should.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LOOP = "while True: pass"


def main() -> None:
    """Run the benchmarks and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs=2)
    parser.add_argument("--on", default="ort")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--busy", type=int, default=1, help="loops that take a core each")
    parser.add_argument("--seconds", default="3")
    given = parser.parse_args()
    with busy_loops(given.busy):
        found = [ratio(given.models, given.on, given.seconds) for _ in range(given.runs)]
    middle = statistics.median(one["ratio"]["value"] for one in found)
    held = 0
    for one in found:
        value, low, high = (one["ratio"][key] for key in ("value", "low", "high"))
        inside = low <= middle <= high
        held += inside
        print(f"{value:.4f} ({low:.4f}..{high:.4f}) {one['verdict']} {'' if inside else 'OUTSIDE'}")
    print(f"median {middle:.4f}: inside {held} of {len(found)} intervals")


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep *count* cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def ratio(models: list[str], target: str, seconds: str) -> dict[str, Any]:
    """Return the record of the second model's latency over the first's, from one benchmark."""
    command = [sys.executable, "-m", "compressor.cli.main", "bench", *models, "--on", target]
    done = subprocess.run(
        [*command, "--seconds", seconds, "--json"], capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)["cells"][1]["ratio"]
    return found


if __name__ == "__main__":
    main()
