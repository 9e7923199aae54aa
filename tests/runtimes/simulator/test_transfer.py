"""A missing task is read off like boards, and never off the board itself."""

import dataclasses

import numpy as np
import pytest

from runtimes.simulator.transfer import BoardSetting, transferred

PATTERN = {"a": 1.0, "b": 3.0, "c": 2.0}


def setting(board: str, engine: str, *, speed: float = 0.0, extra: float = 0.0) -> BoardSetting:
    log_ms = {task: time + speed for task, time in PATTERN.items()}
    log_ms["c"] += extra
    return BoardSetting(board=board, core="M4", engine=engine, version="1", log_ms=log_ms)


def test_a_faster_board_has_the_same_pattern() -> None:
    target = setting("mine", "x", speed=-0.7)
    others = [setting("one", "x"), setting("two", "x", speed=1.3)]
    assert transferred(target, "c", others) == pytest.approx(2.0 - 0.7)


def test_the_same_engine_counts_most() -> None:
    target = setting("mine", "x")
    others = [setting("one", "x"), *[setting(f"b{i}", "y", extra=-0.6) for i in range(3)]]
    assert abs(transferred(target, "c", others) - 2.0) < 0.1


def test_the_boards_own_rows_are_not_looked_at() -> None:
    target = setting("mine", "x")
    other = setting("one", "x")
    own = setting("mine", "x", extra=5.0)
    assert transferred(target, "c", [other, own]) == transferred(target, "c", [other])
    without = dataclasses.replace(target, log_ms={"a": 1.0, "b": 3.0})
    assert transferred(without, "c", [other]) == pytest.approx(transferred(target, "c", [other]))


def test_without_another_board_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="no other board"):
        transferred(setting("mine", "x"), "c", [setting("mine", "y")])


def test_a_different_pattern_counts_little() -> None:
    target = setting("mine", "x")
    like = setting("one", "x")
    unlike = dataclasses.replace(
        setting("two", "x", extra=2.0), log_ms={"a": 3.0, "b": 1.0, "c": 9.0}
    )
    assert np.isclose(transferred(target, "c", [like, unlike]), 2.0, atol=1e-3)
