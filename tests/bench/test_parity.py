from __future__ import annotations

import numpy as np
import pytest

from bench.parity import parity
from compressor.errors import Code, EdgecError

A = np.float32([[0.5, 1.0], [2.0, -1.0]])


def test_counts_steps_of_the_scale() -> None:
    b = A + np.float32([[0.25, 0.0], [0.0, -0.5]])
    record = parity("logits", A, b, scale=0.25)
    assert (record.output, record.samples) == ("logits", 2)
    assert (record.mean_lsb, record.max_lsb) == (0.75, 2.0)
    assert record.agreement == 100.0


def test_agreement_sees_a_changed_top1() -> None:
    assert parity("y", A, A[:, ::-1], scale=1.0).agreement == 0.0


def test_equal_outputs_have_no_distance() -> None:
    record = parity("y", A, A.copy(), scale=1e-3)
    assert (record.mean_lsb, record.max_lsb, record.agreement) == (0.0, 0.0, 100.0)


def test_single_outputs_have_no_top1() -> None:
    assert parity("score", A[:, :1], A[:, :1], scale=1.0).agreement is None


def test_integers_do_not_wrap() -> None:
    low, high = np.int8([[-128, 0]]), np.int8([[127, 0]])
    assert parity("y", low, high, scale=1.0).max_lsb == 255.0


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_scale_must_be_positive(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        parity("y", A, A, scale=scale)


def test_shapes_must_agree() -> None:
    with pytest.raises(EdgecError) as caught:
        parity("y", A, A.ravel(), scale=1.0)
    assert caught.value.code is Code.ARTIFACT_MISMATCH
