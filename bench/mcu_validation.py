"""How well a board's missing task is predicted: ``python -m bench.mcu_validation --measured CSV``.

Each time in turn is left out together with every other row of its board; known are the board's
other tasks in the same submission, and all other boards.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.mcu_rows import read_boards
from runtimes.simulator.transfer import transferred


def left_out_errors(path: Path) -> dict[str, list[float]]:
    """Return, by task, the error of every left-out time as a share of the measured one."""
    settings = [rows.setting for rows in read_boards(path)]
    found: dict[str, list[float]] = defaultdict(list)
    for setting in settings:
        for task, log_ms in setting.log_ms.items():
            predicted = transferred(setting, task, settings)
            found[task].append(abs(float(np.expm1(predicted - log_ms))))
    return dict(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the errors by task and in all."""
    parser = argparse.ArgumentParser(prog="python -m bench.mcu_validation", description=__doc__)
    parser.add_argument("--measured", type=Path, required=True, help="MLPerf Tiny results, CSV")
    found = left_out_errors(parser.parse_args(arguments).measured)
    for task, errors in sorted(found.items()):
        sys.stdout.write(f"{task}: n {len(errors)}, MAPE {100 * np.mean(errors):.1f} %\n")
    every = [error for errors in found.values() for error in errors]
    sys.stdout.write(f"all: n {len(every)}, MAPE {100 * np.mean(every):.1f} %\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
