"""Every float form of every operator computes what ONNX Runtime does, with its optimiser off."""

import pytest

from tests.exporters.tflite.harness import (
    LiteRt,
    assert_float_parity,
    feeds_for,
    parse,
    with_random_constants,
)
from tests.exporters.tflite.ops.cases import FLOAT
from tests.tolerances import float32_operator

CASES = [
    pytest.param(text, id=f"{family}-{index}")
    for family, texts in FLOAT.items()
    for index, text in enumerate(texts)
]


@pytest.mark.parametrize("text", CASES)
def test_matches_onnx_runtime(text: str, litert: LiteRt) -> None:
    model = with_random_constants(parse(text))
    assert_float_parity(model, litert, float32_operator(terms=72), feeds_for(model))
