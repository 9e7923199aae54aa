"""Models that answer alike are near, and nearer than those that do not."""

import numpy as np

from compressor.pruning.divergence import divergence_for, kl_divergence, relative_error
from tests.graphs import gaussian

SCORES = [gaussian(50, 10)]


def test_same_answers_have_no_divergence() -> None:
    assert kl_divergence(SCORES, SCORES) == 0.0
    assert relative_error(SCORES, SCORES) == 0.0


def test_kl_of_known_distributions() -> None:
    want, have = [np.log([[0.5, 0.5]])], [np.log([[0.25, 0.75]])]
    expected = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert np.isclose(kl_divergence(want, have), expected)
    assert np.isclose(kl_divergence(want, [have[0] + 7]), expected)


def test_error_is_relative_to_the_spread_of_the_answers() -> None:
    noise = gaussian(50, 10, seed=1) * np.float32(0.1)
    small = relative_error(SCORES, [SCORES[0] + noise])
    assert np.isclose(relative_error([SCORES[0] * 100], [(SCORES[0] + noise) * 100]), small)
    assert 0.005 < small < 0.02


def test_classes_are_compared_as_classes() -> None:
    assert divergence_for(SCORES, classifies=True) is kl_divergence
    assert divergence_for(SCORES, classifies=False) is relative_error
    assert divergence_for(SCORES * 2, classifies=True) is relative_error
    assert divergence_for([gaussian(5, 1)], classifies=True) is relative_error
