"""Versions are those of LiteRT's own table, for forms where they differ."""

import pytest
from ai_edge_litert import schema_py_generated as schema

from exporters import tflite
from exporters.tflite.versions import minimum_runtime
from tests.exporters.tflite.harness import (
    OPTIONS,
    parse,
    to_integers,
    unpacked,
    with_random_constants,
)
from tests.exporters.tflite.ops.cases import FLOAT

Op = schema.BuiltinOperator
DENSE, STACKED = FLOAT["fully_connected"][0], FLOAT["fully_connected"][5]
CONV, DEPTHWISE, DILATED = (FLOAT["convolution"][index] for index in (0, 6, 8))
GROUPED = FLOAT["convolution"][9]
MUL = "g (float[1,4] x, float[1,4] x2) => (float[1,4] y) { y = Mul(x, x2) }"
HALF_PIXEL = FLOAT["resize"][2]


def _versions(text: str, ranges: dict[str, tuple[float, float]] | None = None) -> dict[int, int]:
    model = with_random_constants(parse(text))
    if ranges:
        model = to_integers(model, ranges)
    file = unpacked(tflite.write(model, OPTIONS))
    return {code.builtinCode: code.version for code in file.operatorCodes}


@pytest.mark.parametrize(
    ("text", "ranges", "op", "version"),
    [
        (DENSE, None, Op.FULLY_CONNECTED, 1),
        (DENSE, {"x": (-3, 3), "y": (-4, 4)}, Op.FULLY_CONNECTED, 4),
        (STACKED, None, Op.FULLY_CONNECTED, 5),
        (CONV, None, Op.CONV_2D, 1),
        (CONV, {"x": (-3, 3), "y": (-4, 4)}, Op.CONV_2D, 3),
        (GROUPED, None, Op.CONV_2D, 6),
        (DEPTHWISE, None, Op.DEPTHWISE_CONV_2D, 1),
        (DILATED, None, Op.DEPTHWISE_CONV_2D, 2),
        (DEPTHWISE, {"x": (-3, 3), "y": (-4, 4)}, Op.DEPTHWISE_CONV_2D, 3),
        (MUL, {"x": (-3, 3), "x2": (-3, 3), "y": (-9, 9)}, Op.MUL, 2),
        (MUL, {"x": (-300, 300), "x2": (-3, 3), "y": (-1, 1)}, Op.MUL, 3),
        (HALF_PIXEL, None, Op.RESIZE_BILINEAR, 3),
    ],
)
def test_version(
    text: str, ranges: dict[str, tuple[float, float]] | None, op: int, version: int
) -> None:
    assert _versions(text, ranges)[op] == version


def test_oldest_runtime_is_that_of_the_newest_operator() -> None:
    assert minimum_runtime([]) == "1.14.0"
    assert minimum_runtime([(Op.CONV_2D, 3), (Op.GELU, 1), (Op.ADD, 2)]) == "2.9.0"
    assert minimum_runtime([(Op.RELU_0_TO_1, 1), (Op.GELU, 1)]) == "2.10.0"
