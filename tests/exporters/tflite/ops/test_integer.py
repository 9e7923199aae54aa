"""Every int8 form of every operator is within one step of what its float form computes."""

import numpy as np
import pytest

from exporters import tflite
from tests.exporters.tflite.fake_quant import fake_quantized, run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    Range,
    feeds_for,
    operators,
    params_of,
    parse,
    to_integers,
    with_random_constants,
)
from tests.exporters.tflite.ops.cases import INTEGER
from tests.tolerances import ONE_STEP

CASES = [
    pytest.param(text, ranges, id=f"{family}-{index}")
    for family, cases in INTEGER.items()
    for index, (text, ranges) in enumerate(cases)
]


@pytest.mark.parametrize(("text", "ranges"), CASES)
def test_is_within_one_step(text: str, ranges: dict[str, Range], litert: LiteRt) -> None:
    model = to_integers(with_random_constants(parse(text)), ranges)
    assert tflite.check(model, OPTIONS) == []
    data = tflite.write(model, OPTIONS)
    names = operators(data)
    assert names.count("QUANTIZE") >= sum(name in ranges for name in feeds_for(model))
    feeds = feeds_for(model)
    want = run_onnx(fake_quantized(model), feeds)
    have = litert(data, feeds)
    for name, expected in want.items():
        assert have[name].shape == expected.shape
        steps = np.abs(have[name] - expected) / params_of(*ranges[name]).scale[0]
        assert steps.max() <= ONE_STEP
