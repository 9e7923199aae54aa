"""Scaled intervals cover new errors as often as they say."""

import numpy as np
import pytest

from runtimes.simulator.intervals import interval_scale
from tests.tolerances import proportion


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_the_scale_covers_errors_it_never_saw(level: float) -> None:
    rng = np.random.default_rng(0)
    scores = np.abs(rng.standard_t(3, size=4000))  # heavier tails than the model assumes
    scale = interval_scale(list(scores[:2000]), level)
    assert (scores[2000:] <= scale).mean() == pytest.approx(level, abs=2 * proportion(level, 2000))


def test_few_scores_take_the_largest() -> None:
    assert interval_scale([1.0, 3.0, 2.0], 0.9) == 3.0


def test_no_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="calibrate"):
        interval_scale([], 0.9)
