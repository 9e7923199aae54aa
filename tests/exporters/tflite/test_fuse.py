"""Clamps vanish where another operator does them in passing, and only there."""

import pytest

from exporters import tflite
from tests.exporters.tflite.harness import OPTIONS, operators, parse, to_integers

ADD = "g (float[1,4] x, float[1,4] x2) => (float[1,4] y) { a = Add(x, x2) %s }"
CLIP6 = "y = Clip(a, low, six)"
X = {"x": (-3.0, 3.0), "x2": (-3.0, 3.0)}


def _operators(body: str, ranges: dict[str, tuple[float, float]] | None = None) -> list[str]:
    text = ADD % body
    if "low" in body:
        text = (
            text.replace(") {", ") <float low={0}, float six={6}> {")
            .replace("={0}", "={0.0}")
            .replace("={6}", "={6.0}")
        )
    model = parse(text)
    if ranges:
        model = to_integers(model, ranges)
    found = operators(tflite.write(model, OPTIONS))
    return [name for name in found if "QUANTIZE" not in name]


@pytest.mark.parametrize("body", ["y = Relu(a)", CLIP6])
def test_float_clamps_are_fused(body: str) -> None:
    assert _operators(body) == ["ADD"]


def test_a_clamp_stays_when_others_read_its_input() -> None:
    assert _operators("r = Relu(a) y = Mul(r, a)") == ["ADD", "RELU", "MUL"]


def test_a_second_clamp_stays() -> None:
    assert _operators("r = Relu(a) y = Clip(r, low, six)") == ["ADD", "RELU6"]


def test_an_implied_integer_clamp_is_dropped() -> None:
    assert _operators("y = Relu(a)", X | {"a": (0, 6), "y": (0, 6)}) == ["ADD"]
    assert _operators(CLIP6, X | {"a": (0, 6), "y": (0, 6)}) == ["ADD"]


def test_an_implied_clamp_is_dropped_behind_anything() -> None:
    body = "r = Relu(a) s = Mul(r, r) y = Relu(s)"
    ranges = X | {"a": (0, 6), "r": (0, 6), "s": (0, 36), "y": (0, 36)}
    assert _operators(body, ranges) == ["ADD", "MUL"]


def test_an_integer_clamp_that_cuts_is_fused_at_equal_scales() -> None:
    assert _operators("y = Relu(a)", X | {"a": (-6, 6), "y": (-6, 6)}) == ["ADD"]


def test_an_integer_clamp_that_rescales_stays() -> None:
    assert _operators("y = Relu(a)", X | {"a": (-6, 6), "y": (0, 6)}) == ["ADD", "RELU"]
