import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.cold import measure_cold

FEEDS = {"v0": np.full((64, 64), 1 / 64, np.float32)}


def test_a_cold_start_holds_loading_and_the_first_run(products: Callable[[int], Path]) -> None:
    core = min(os.sched_getaffinity(0))
    cold, memory = measure_cold("ort", products(10), FEEDS, cores=[core])
    assert 0 < cold.first_ms < cold.process_ms
    assert 0 < cold.load_ms < cold.process_ms
    assert memory.peak_bytes == memory.bare_bytes + memory.added_bytes
    assert memory.added_bytes > 0
