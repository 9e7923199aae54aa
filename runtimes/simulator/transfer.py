"""A missing time of a board from like boards: the same engine gives the same pattern of times.

Microcontrollers run a handful of published tasks under engines whose kernels differ more than the
cores do. The missing task of a setting is read off other boards' settings: each says how far that
task lies from the mean of the known ones, and counts by how alike it is (Nadaraya-Watson).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_PATTERN = 0.1  # difference of patterns, in log time, at which a setting counts 60 %
_ENGINE, _VERSION, _CORE = 3.0, 2.0, 1.0  # log weights lost with another of each


@dataclass(frozen=True, kw_only=True)
class BoardSetting:
    """A board under an engine, with its log milliseconds by task.

    Attributes:
        version: round of submissions: engines change between them.
    """

    board: str
    core: str
    engine: str
    version: str
    log_ms: Mapping[str, float]


def transferred(target: BoardSetting, task: str, others: Sequence[BoardSetting]) -> float:
    """Return the log time of *task* on *target* from its other tasks and from other boards.

    Rows of the same board and the time to be predicted are not looked at. Raises ``ValueError``
    when no other board has all the tasks.
    """
    known = sorted(name for name in target.log_ms if name != task)
    mine = np.array([target.log_ms[name] for name in known])
    total = weights = 0.0
    for other in others:
        if other.board == target.board or not {task, *known} <= set(other.log_ms):
            continue
        theirs = np.array([other.log_ms[name] for name in known])
        weight = _likeness(target, other, mine, theirs)
        total += weight * (other.log_ms[task] - float(theirs.mean()))
        weights += weight
    if not weights:
        raise ValueError(f"no other board has the tasks {', '.join([task, *known])}")
    return float(mine.mean()) + total / weights


def _likeness(
    one: BoardSetting,
    other: BoardSetting,
    mine: np.ndarray[tuple[int], np.dtype[np.float64]],
    theirs: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> float:
    apart = (mine - mine.mean()) - (theirs - theirs.mean())
    lost = float((apart**2).mean()) / (2 * _PATTERN**2)
    lost += _ENGINE * (one.engine != other.engine)
    lost += _VERSION * (one.version != other.version)
    lost += _CORE * (one.core != other.core)
    return float(np.exp(-lost))
