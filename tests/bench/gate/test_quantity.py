import pytest

from bench.gate.quantity import Against, Bound, Dimension, format_value, parse_limit
from compressor.errors import Code, EdgecError

MOST, LEAST = Bound.AT_MOST, Bound.AT_LEAST


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("1.2 MB", Dimension.BYTES, 1.2e6),
        ("256KiB", Dimension.BYTES, 262144),
        ("<= 12 ms", Dimension.SECONDS, 0.012),
        ("0.5 pt", Dimension.POINTS, 0.5),
        ("1e3 ns", Dimension.SECONDS, 1e-6),
        ("90 %", Dimension.PERCENT, 90),
        ("0.99", Dimension.NUMBER, 0.99),
    ],
)
def test_absolute_limits(text: str, dimension: Dimension, value: float) -> None:
    limit = parse_limit(text, dimension, MOST, "here")
    assert limit.against is Against.NOTHING
    assert limit.value == pytest.approx(value)
    assert limit.text == text


@pytest.mark.parametrize(
    ("text", "dimension", "against", "value"),
    [
        ("0.6x float", Dimension.SECONDS, Against.FLOAT, 0.6),
        ("+5 %", Dimension.SECONDS, Against.BASELINE_SHARE, 5),
        ("+ 10 KB", Dimension.BYTES, Against.BASELINE, 10_000),
        ("-0.3 pt", Dimension.PERCENT, Against.BASELINE, -0.3),
        ("-2 %", Dimension.BYTES, Against.BASELINE_SHARE, -2),
    ],
)
def test_relative_limits(text: str, dimension: Dimension, against: Against, value: float) -> None:
    limit = parse_limit(text, dimension, MOST, "here")
    assert (limit.against, limit.value) == (against, pytest.approx(value))


@pytest.mark.parametrize(
    ("given", "dimension", "bound", "expected"),
    [
        ("1.2", Dimension.BYTES, MOST, "MB"),
        ("1.2 mb", Dimension.BYTES, MOST, "MB"),
        ("12 KB", Dimension.SECONDS, MOST, "one of"),
        (">= 1 MB", Dimension.BYTES, MOST, "<="),
        ("<= 90 %", Dimension.PERCENT, LEAST, ">="),
        (12, Dimension.SECONDS, MOST, "12 ms"),
        ("fast", Dimension.SECONDS, MOST, "12 ms"),
        ("", Dimension.SECONDS, MOST, "12 ms"),
        ("1e999 s", Dimension.SECONDS, MOST, "12 ms"),
        ("0.6x flat", Dimension.SECONDS, MOST, "12 ms"),
        ("--1 s", Dimension.SECONDS, MOST, "12 ms"),
    ],
)
def test_what_is_no_limit(given: object, dimension: Dimension, bound: Bound, expected: str) -> None:
    with pytest.raises(EdgecError) as caught:
        parse_limit(given, dimension, bound, "edgec.toml, line 3")
    assert caught.value.code is Code.RECIPE_INVALID
    assert caught.value.where == "edgec.toml, line 3"
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (1_234_567, Dimension.BYTES, "1.235 MB"),
        (0, Dimension.BYTES, "0 B"),
        (0.0123, Dimension.SECONDS, "12.3 ms"),
        (99.8, Dimension.PERCENT, "99.80 %"),
        (0.6, Dimension.NUMBER, "0.6"),
        (float("nan"), Dimension.SECONDS, "nan"),
    ],
)
def test_values_in_words(value: float, dimension: Dimension, text: str) -> None:
    assert format_value(value, dimension) == text
