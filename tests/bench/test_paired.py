from __future__ import annotations

import math

import numpy as np
import pytest

from bench.accuracy import compare_accuracy
from bench.metric import find_metric
from bench.paired import class_changes, flips_of, mcnemar
from bench.records import FLIPS_KEPT
from tests.tolerances import proportion

LABELS = np.array([0, 0, 1, 1, 2])


def answers(*classes: int) -> np.ndarray:
    return np.eye(3)[list(classes)]


def test_p_value_by_hand() -> None:
    """The source alone is right 3 times, the artifact never: 2 * (1/2)**3."""
    assert mcnemar(answers(0, 0, 1, 1, 2), answers(1, 1, 0, 1, 2), LABELS) == pytest.approx(0.25)
    assert mcnemar(answers(0, 0, 1, 1, 2), answers(0, 0, 1, 1, 2), LABELS) == 1.0


def test_samples_that_both_get_wrong_do_not_count() -> None:
    both = np.concatenate([answers(1, 2), answers(0, 0, 1)])
    other = np.concatenate([answers(2, 1), answers(0, 0, 1)])
    assert mcnemar(both, other, np.array([0, 0, 0, 0, 1])) == 1.0


def test_the_normal_limit_continues_the_exact_law() -> None:
    """At 10,000 and 10,002 differing samples with the same share the p-values agree."""
    values = []
    for total in (10_000, 10_002):
        lost = total // 2 + 100
        labels = np.zeros(total, int)
        first = np.eye(2)[(np.arange(total) >= lost).astype(int)]
        values.append(mcnemar(first, np.eye(2)[1 - first.argmax(1)], labels))
    assert values[0] == pytest.approx(values[1], rel=1e-2)
    assert 0.01 < values[0] < 0.1
    assert not math.isnan(values[1])


def test_equal_models_are_called_different_as_often_as_stated() -> None:
    random = np.random.default_rng(0)
    labels, trials = np.zeros(200, int), 400
    called = 0
    for _ in range(trials):
        first, second = (np.eye(2)[(random.random(200) < 0.2).astype(int)] for _ in range(2))
        called += mcnemar(first, second, labels) < 0.05
    assert called / trials <= 0.05 + proportion(0.05, trials)  # the exact test is conservative


def test_losses_come_first() -> None:
    changes = class_changes(answers(0, 0, 1, 1, 2), answers(0, 0, 0, 0, 2), LABELS)
    assert [(c.label, c.samples, c.source, c.artifact) for c in changes] == [
        (1, 2, 2, 0),
        (0, 2, 2, 2),
        (2, 1, 1, 1),
    ]


def test_flipped_samples_are_listed() -> None:
    [flip] = flips_of(answers(0, 0, 1, 1, 2), answers(0, 0, 1, 2, 2), LABELS)
    assert (flip.index, flip.label, flip.source, flip.artifact) == (3, 1, 1, 2)
    assert flips_of(np.zeros((5, 1)), np.ones((5, 1)), None) == ()


def test_the_record_has_them() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 1000)
    source = np.eye(3)[labels] + random.normal(0, 0.2, (1000, 3))
    artifact = random.normal(size=(1000, 3))
    record = compare_accuracy(find_metric("top1"), source, artifact, labels)
    assert record.mcnemar is not None
    assert record.mcnemar < 1e-6
    assert sum(change.samples for change in record.classes) == 1000
    assert record.flipped > FLIPS_KEPT == len(record.flips)
    assert record.to_json()["flips"][0].keys() == {"index", "label", "source", "artifact"}


def test_without_classes_there_is_no_test() -> None:
    random = np.random.default_rng(0)
    outputs = random.normal(size=(20, 1))
    record = compare_accuracy(find_metric("mae"), outputs, outputs, random.normal(size=20))
    assert record.mcnemar is None
    assert record.classes == ()
