"""Published microcontroller times are predicted as well as promised."""

from pathlib import Path

import numpy as np
import pytest

from bench.fit_mcus import make_mcu_study
from bench.mcu_rows import read_boards
from bench.mcu_tasks import visual_wake_words
from bench.mcu_validation import left_out_errors


def test_a_left_out_task_on_a_left_out_board(shared_data: Path) -> None:
    found = left_out_errors(shared_data / "latency" / "mlperf_tiny_measured.csv")
    every = [error for errors in found.values() for error in errors]
    assert len(every) > 100
    assert 100 * float(np.mean(every)) <= 12  # the promise of the simulator


def test_submissions_of_one_board_share_its_name(shared_data: Path) -> None:
    rows = read_boards(shared_data / "latency" / "mlperf_tiny_measured.csv")
    boards = {row.setting.board for row in rows}
    assert "NUCLEO-L4R5ZI" in boards
    assert not any(" " in board or "_" in board for board in boards)
    assert all(row.clock_mhz >= 60 for row in rows)


def test_the_person_detector_is_the_published_one() -> None:
    works = visual_wake_words()
    # MobileNetV1 of width 0.25 at 96x96: 7.49 million MACs, 0.21 million weights (paper's table 7
    # scales as the square of the width).
    assert sum(work.macs for work in works) == 7_489_664
    assert sum(work.weights for work in works) == pytest.approx(208_112, rel=0.02)


@pytest.mark.slow
def test_all_tasks_have_work(shared_data: Path) -> None:
    study, boards = make_mcu_study(shared_data)
    assert len(study.settings) == len(boards)
    assert (study.data.quantities.sum(1) > 0).all()
