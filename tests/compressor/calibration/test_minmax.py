import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from compressor.calibration.minmax import MinMaxObserver

FINITE = st.floats(allow_nan=False, width=32)


@given(st.lists(arrays.arrays(np.float32, (2, 3), elements=FINITE), min_size=1, max_size=5))
def test_extremes_are_exact(batches: list[np.ndarray]) -> None:
    observer = MinMaxObserver()
    for batch in batches:
        observer.update(batch)
    everything = np.stack(batches)
    found = observer.result()
    assert (found.low, found.high) == (everything.min(), everything.max())
    assert found.histogram is None


@pytest.mark.parametrize("position", [0, 1, 2])
def test_nan_shows_up_wherever_it_was(position: int) -> None:
    observer = MinMaxObserver()
    batches = [np.ones(2, np.float32), np.zeros(2, np.float32)]
    batches.insert(position, np.array([1, np.nan], np.float32))
    for batch in batches:
        observer.update(batch)
    found = observer.result()
    assert np.isnan([found.low, found.high]).all()


def test_empty_batch_changes_nothing() -> None:
    observer = MinMaxObserver()
    observer.update(np.array([3, 4], np.float32))
    observer.update(np.zeros((0, 5), np.float32))
    assert (observer.result().low, observer.result().high) == (3, 4)
