"""Every operator that is said to take 16-bit activations is within two steps of its float form."""

import numpy as np
import pytest

from compressor.ir.quant import IntegerType, QuantParams
from exporters import tflite
from exporters.tflite.constraints import WIDE
from exporters.tflite.legalize import legalize
from tests.exporters.tflite import harness
from tests.exporters.tflite.fake_quant import fake_quantized, run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    Range,
    feeds_for,
    parse,
    to_integers,
    with_random_constants,
)
from tests.exporters.tflite.ops.cases import INTEGER
from tests.tolerances import ONE_STEP, QUANTIZED_STEP

FIXED = ("Sigmoid(x)", "Tanh(x)", "Softmax")
UNFUSED = {"Rsqrt"}  # appears in patterns only
CASES = [
    pytest.param(text, ranges, id=f"{family}-{index}")
    for family, cases in INTEGER.items()
    for index, (text, ranges) in enumerate(cases)
]


@pytest.fixture(autouse=True)
def sixteen_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "params_of", wide)


def wide(low: float, high: float) -> QuantParams:
    return QuantParams.per_tensor(IntegerType.INT16, max(abs(low), abs(high)) / 32767, 0)


def params_for(text: str, ranges: dict[str, Range]) -> dict[str, QuantParams]:
    params = {name: wide(*limits) for name, limits in ranges.items()}
    if any(kernel in text for kernel in FIXED):
        params["y"] = QuantParams.per_tensor(IntegerType.INT16, 2**-15, 0)
    return params


@pytest.mark.parametrize(("text", "ranges"), CASES)
def test_is_within_a_step(text: str, ranges: dict[str, Range], litert: LiteRt) -> None:
    params = params_for(text, ranges)
    model = to_integers(with_random_constants(parse(text)), params)
    refusals = tflite.check(model, OPTIONS)
    if refusals:
        assert {r.reason for r in refusals} == {"TFLite has no int16 kernel for it"}
        assert not {r.op_type for r in refusals} & WIDE
        return
    feeds = feeds_for(model)
    want, have = run_onnx(fake_quantized(model), feeds), litert(tflite.write(model, OPTIONS), feeds)
    for name, expected in want.items():
        assert have[name].shape == expected.shape
        steps = np.abs(have[name] - expected) / params[name].scale[0]
        assert steps.max() <= QUANTIZED_STEP * ONE_STEP


def test_every_wide_kernel_has_a_case() -> None:
    found = set()
    for cases in INTEGER.values():
        for text, ranges in cases:
            model = to_integers(with_random_constants(parse(text)), params_for(text, ranges))
            legalize(model.graph)
            found |= {node.op_type for node in model.graph}
    assert set(WIDE) - found - UNFUSED == set()


def test_widths_are_not_mixed() -> None:
    text = "g (float[1,4] x, float[1,4] x2) => (float[1,4] y) { y = Add(x, x2) }"
    eight = QuantParams.per_tensor(IntegerType.INT8, 0.1, 0)
    model = to_integers(parse(text), {"x": wide(-3, 3), "x2": eight, "y": wide(-6, 6)})
    assert "mixes" in tflite.check(model, OPTIONS)[0].reason


def test_a_zero_point_is_refused() -> None:
    text = "g (float[1,4] x) => (float[1,4] y) { y = Relu(x) }"
    shifted = QuantParams.per_tensor(IntegerType.INT16, 0.1, 5)
    model = to_integers(parse(text), {"x": shifted, "y": shifted})
    assert any("must be 0" in r.reason for r in tflite.check(model, OPTIONS))
