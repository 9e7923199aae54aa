import math

import numpy as np
import pytest

from compressor.gap import Gap, aligned
from tests.graphs import gaussian


def test_relative_difference_of_all_samples() -> None:
    gap = Gap()
    gap.add(np.float32([3, 0]), np.float32([3, 0]))
    gap.add(np.float32([0, 4]), np.float32([0, 3]))
    assert gap.relative == pytest.approx(1 / 5)
    assert gap.largest == 1
    assert gap.shape == (2,)


def test_equal_infinities_and_nan_are_no_difference() -> None:
    gap = Gap()
    same = np.float32([math.nan, math.inf, -math.inf, 1])
    gap.add(same, same)
    assert gap.relative == 0


def test_nan_in_one_of_them_is_seen() -> None:
    gap = Gap()
    gap.add(np.float32([1, 2]), np.float32([1, math.nan]))
    gap.add(np.float32([1, 2]), np.float32([1, 2]))
    assert not gap.relative <= 1e9
    assert math.isnan(gap.largest)


def test_a_difference_from_zero_is_infinite() -> None:
    gap = Gap()
    gap.add(np.zeros(2, np.float32), np.ones(2, np.float32))
    assert gap.relative == math.inf


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 4, 4, 4), (2, 3, 7)])
def test_channels_may_be_last(shape: tuple[int, ...]) -> None:
    ours = gaussian(*shape)
    order = (0, *range(2, len(shape)), 1)
    found = aligned(ours, ours.transpose(order))
    assert found is not None
    np.testing.assert_array_equal(found, ours)


def test_height_and_width_are_not_mistaken_for_each_other() -> None:
    ours = gaussian(1, 3, 4, 4)
    found = aligned(ours, ours.transpose(0, 1, 3, 2))
    assert found is not None
    assert not np.array_equal(found, ours)


def test_other_ranks_and_sizes() -> None:
    ours = gaussian(2, 6)
    flat = aligned(ours, ours.reshape(2, 6, 1, 1))
    assert flat is not None
    np.testing.assert_array_equal(flat, ours)
    assert aligned(ours, gaussian(2, 5)) is None
