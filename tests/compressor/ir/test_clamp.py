import math

import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.annotations import set_quant
from compressor.ir.clamp import clamp_bounds, clamp_is_redundant
from compressor.ir.quant import IntegerType, QuantParams
from tests.graphs import graph_of


def clamp(text: str, **constants: np.ndarray) -> ir.Node:
    model = graph_of(f"g (float[2] x, float fed) => (float[2] y) {{ y = {text} }}", **constants)
    return model.graph[0]


ZERO, SIX = np.float32(0), np.float32(6)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("Relu(x)", (0.0, math.inf)),
        ("Clip(x)", (-math.inf, math.inf)),
        ("Clip(x, zero)", (0.0, math.inf)),
        ("Clip(x, zero, six)", (0.0, 6.0)),
        ("Clip(x, , six)", (-math.inf, 6.0)),
        ("Clip(x, fed, six)", None),
        ("Clip(x, zero, fed)", None),
        ("Neg(x)", None),
    ],
)
def test_bounds(text: str, bounds: tuple[float, float] | None) -> None:
    assert clamp_bounds(clamp(text, zero=ZERO, six=SIX)) == bounds


def per_tensor(low: float, high: float) -> QuantParams:
    scale = (high - low) / 255
    return QuantParams.per_tensor(IntegerType.INT8, scale, round(-128 - low / scale))


@pytest.mark.parametrize(
    ("text", "low", "high", "redundant"),
    [
        ("Relu(x)", 0.0, 5.0, True),
        ("Relu(x)", -1.0, 5.0, False),
        ("Clip(x, zero, six)", 0.0, 6.0, True),
        ("Clip(x, zero, six)", 0.0, 5.0, True),
        ("Clip(x, zero, six)", 0.0, 6.1, False),
        ("Clip(x, zero, six)", -0.1, 6.0, False),
        ("Clip(x, fed, six)", 0.0, 6.0, False),
    ],
)
def test_redundant_where_saturation_cuts(
    text: str, low: float, high: float, *, redundant: bool
) -> None:
    node = clamp(text, zero=ZERO, six=SIX)
    params = per_tensor(low, high)
    set_quant(node.inputs[0], params)  # type: ignore[arg-type]
    set_quant(node.outputs[0], params)
    assert clamp_is_redundant(node) is redundant


def test_redundant_clamp_changes_no_integer() -> None:
    """The claim itself, over all integers: clamping a dequantized value gives the same integer."""
    node, params = clamp("Clip(x, zero, six)", zero=ZERO, six=SIX), per_tensor(0.0, 6.0)
    set_quant(node.inputs[0], params)  # type: ignore[arg-type]
    set_quant(node.outputs[0], params)
    assert clamp_is_redundant(node)
    integers = np.arange(-128, 128, dtype=np.int8)
    clamped = np.clip(params.dequantize(integers), 0.0, 6.0)
    np.testing.assert_array_equal(params.quantize(clamped), integers)


def test_not_redundant_in_float_or_between_scales() -> None:
    node = clamp("Relu(x)")
    assert not clamp_is_redundant(node)
    set_quant(node.outputs[0], per_tensor(0.0, 5.0))
    assert not clamp_is_redundant(node)
    set_quant(node.inputs[0], per_tensor(-5.0, 5.0))  # type: ignore[arg-type]
    assert not clamp_is_redundant(node)
