"""Small integer files: the schemes that converters have written over the years."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.compressor.ingest.tflite.cases import IMAGE, RELU, RELU6, SAME, VALID, int32
from tests.compressor.ingest.tflite.files import File

IN, OUT = {"scale": 0.05, "zero": -10}, {"scale": 0.08, "zero": 5}
LOGISTIC = {"scale": 1 / 256, "zero": -128}


def integers(*shape: int, low: int = -127, high: int = 127, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).integers(low, high, shape, np.int8, endpoint=True)


def one_op(
    op: str,
    shapes: Sequence[tuple[int, ...]],
    out: tuple[int, ...],
    options: Any = None,
    *,
    given: dict[str, Any] = IN,
    made: dict[str, Any] = OUT,
    constants: Sequence[np.ndarray] = (),
    dtype: str = "int8",
    version: int = 2,
) -> bytes:
    """Return a file of one operator on integer inputs of *shapes* and plain constants."""
    file = File()
    inputs = [file.tensor(f"x{i}", shape, dtype, **given) for i, shape in enumerate(shapes)]
    operands = [*inputs, *(file.constant(f"c{i}", array) for i, array in enumerate(constants))]
    y = file.tensor("y", out, dtype, **made)
    file.op(op, operands, [y], options, version)
    return file.pack(inputs, [y])


def convolution(*, depthwise: bool = False, activation: int = 0) -> bytes:
    file = File()
    x = file.tensor("x", IMAGE, "int8", **IN)
    channels = 4 if depthwise else 6
    scales = [0.002 * (1 + i) for i in range(channels)]
    shape = (1, 3, 3, channels) if depthwise else (channels, 3, 3, 4)
    weight = file.constant("w", integers(*shape), scale=scales, axis=3 if depthwise else 0)
    bias = np.arange(-2, channels - 2, dtype=np.int32) * 1000
    b = file.constant("b", bias, scale=[np.float32(s) * np.float32(0.05) for s in scales])
    y = file.tensor("y", (1, 6, 7, channels), "int8", **OUT)
    settings = {"padding": SAME, "strideH": 1, "strideW": 1, "fusedActivationFunction": activation}
    if depthwise:
        options = schema.DepthwiseConv2DOptionsT(depthMultiplier=1, **settings)
    else:
        options = schema.Conv2DOptionsT(**settings)
    file.op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [x, weight, b], [y], options, 3)
    return file.pack([x], [y])


def fully_connected(*, wide: bool = False) -> bytes:
    """int8, or 16-bit activations with 8-bit weights and 64-bit biases."""
    file = File()
    kind = "int16" if wide else "int8"
    given = {"scale": 0.05} if wide else IN
    x = file.tensor("x", (2, 8), kind, **given)
    weight = file.constant("w", integers(5, 8), scale=0.01)
    bias = np.arange(5, dtype=np.int64 if wide else np.int32) * 700
    b = file.constant("b", bias, scale=np.float32(0.01) * np.float32(0.05))
    y = file.tensor("y", (2, 5), kind, **({"scale": 0.1} if wide else OUT))
    options = schema.FullyConnectedOptionsT(fusedActivationFunction=RELU)
    file.op("FULLY_CONNECTED", [x, weight, b], [y], options, 7 if wide else 4)
    return file.pack([x], [y])


def pool(op: str, padding: int) -> bytes:
    options = schema.Pool2DOptionsT(
        padding=padding, strideH=2, strideW=2, filterHeight=2, filterWidth=2
    )
    out = (1, 3, 4, 4) if padding == SAME else (1, 3, 3, 4)
    return one_op(op, [IMAGE], out, options, made=IN)


def legacy_uint8() -> bytes:
    """The first scheme: unsigned integers everywhere, weights with a zero point."""
    file = File()
    x = file.tensor("x", IMAGE, "uint8", scale=0.05, zero=118)
    array = np.random.default_rng(0).integers(0, 255, (6, 3, 3, 4), np.uint8, endpoint=True)
    weight = file.constant("w", array, scale=0.01, zero=120)
    b = file.constant("b", int32(*range(6)) * 100, scale=np.float32(0.01) * np.float32(0.05))
    y = file.tensor("y", (*IMAGE[:3], 6), "uint8", scale=0.08, zero=133)
    options = schema.Conv2DOptionsT(padding=SAME, strideH=1, strideW=1)
    file.op("CONV_2D", [x, weight, b], [y], options)
    return file.pack([x], [y])


def uint8_interface() -> bytes:
    """Signed inside, unsigned outside, as converters write for ``inference_input_type=uint8``."""
    file = File()
    x = file.tensor("x", (2, 8), "uint8", scale=0.05, zero=118)
    inside = file.tensor("inside", (2, 8), "int8", **IN)
    weight = file.constant("w", integers(5, 8), scale=0.01)
    result = file.tensor("result", (2, 5), "int8", **OUT)
    y = file.tensor("y", (2, 5), "uint8", scale=0.08, zero=133)
    file.op("QUANTIZE", [x], [inside], schema.QuantizeOptionsT())
    file.op("FULLY_CONNECTED", [inside, weight, -1], [result], schema.FullyConnectedOptionsT(), 6)
    file.op("QUANTIZE", [result], [y], schema.QuantizeOptionsT())
    return file.pack([x], [y])


def dynamic_range() -> bytes:
    """Float activations, integer weights: the kernel quantizes its input when it runs."""
    file = File()
    x = file.tensor("x", (2, 64))
    weight = file.constant("w", integers(5, 64), scale=0.01)
    b = file.constant("b", np.arange(5, dtype=np.float32))
    y = file.tensor("y", (2, 5))
    file.op("FULLY_CONNECTED", [x, weight, b], [y], schema.FullyConnectedOptionsT(), 3)
    return file.pack([x], [y])


def dynamic_convolution(*, depthwise: bool) -> bytes:
    file = File()
    x = file.tensor("x", IMAGE)
    channels = 4 if depthwise else 6
    shape = (1, 3, 3, channels) if depthwise else (channels, 3, 3, 4)
    scales = [0.002 * (1 + index) for index in range(channels)]
    weight = file.constant("w", integers(*shape), scale=scales, axis=3 if depthwise else 0)
    b = file.constant("b", np.arange(channels, dtype=np.float32))
    y = file.tensor("y", (1, 6, 7, channels))
    settings = {"padding": SAME, "strideH": 1, "strideW": 1}
    if depthwise:
        options = schema.DepthwiseConv2DOptionsT(depthMultiplier=1, **settings)
        file.op("DEPTHWISE_CONV_2D", [x, weight, b], [y], options, 6)
    else:
        file.op("CONV_2D", [x, weight, b], [y], schema.Conv2DOptionsT(**settings), 5)
    return file.pack([x], [y])


def weight_only() -> bytes:
    """Integer weights behind a DEQUANTIZE: stored small, computed in float."""
    file = File()
    x = file.tensor("x", (2, 64))
    stored = file.constant("stored", integers(5, 64), scale=[0.01] * 5, axis=0)
    weight = file.tensor("w", (5, 64))
    b = file.constant("b", np.arange(5, dtype=np.float32))
    y = file.tensor("y", (2, 5))
    file.op("DEQUANTIZE", [stored], [weight], schema.DequantizeOptionsT(), 5)
    file.op("FULLY_CONNECTED", [x, weight, b], [y], schema.FullyConnectedOptionsT())
    return file.pack([x], [y])


def float_island() -> bytes:
    """int8, a float operator in between, int8 again, to another scale."""
    file = File()
    x, y = file.tensor("x", (2, 5), "int8", **IN), file.tensor("y", (2, 5), "int8", **OUT)
    real, result = file.tensor("real", (2, 5)), file.tensor("result", (2, 5))
    file.op("DEQUANTIZE", [x], [real], schema.DequantizeOptionsT(), 2)
    file.op("SIN", [real], [result])
    file.op("QUANTIZE", [result], [y], schema.QuantizeOptionsT())
    return file.pack([x], [y])


def constant_operand() -> bytes:
    file = File()
    x, y = file.tensor("x", IMAGE, "int8", **IN), file.tensor("y", IMAGE, "int8", **OUT)
    c = file.constant("c", integers(4), scale=0.02, zero=3)
    file.op("ADD", [x, c], [y], schema.AddOptionsT(fusedActivationFunction=RELU6), 2)
    return file.pack([x], [y])


CASES: dict[str, Callable[[], bytes]] = {
    "conv": convolution,
    "conv with relu6": lambda: convolution(activation=RELU6),
    "depthwise with relu": lambda: convolution(depthwise=True, activation=RELU),
    "fully connected": fully_connected,
    "16-bit activations": lambda: fully_connected(wide=True),
    "add": lambda: one_op("ADD", [IMAGE, IMAGE], IMAGE, schema.AddOptionsT()),
    "add of a constant": constant_operand,
    "mul": lambda: one_op("MUL", [IMAGE, (1, 1, 1, 4)], IMAGE, schema.MulOptionsT()),
    "sub": lambda: one_op("SUB", [IMAGE, IMAGE], IMAGE, schema.SubOptionsT()),
    "max pool": lambda: pool("MAX_POOL_2D", SAME),
    "average pool": lambda: pool("AVERAGE_POOL_2D", VALID),
    "mean": lambda: one_op(
        "MEAN", [IMAGE], (1, 4), schema.ReducerOptionsT(), constants=[int32(1, 2)]
    ),
    "softmax": lambda: one_op(
        "SOFTMAX", [(2, 9)], (2, 9), schema.SoftmaxOptionsT(beta=1.0), made=LOGISTIC
    ),
    "logistic": lambda: one_op("LOGISTIC", [IMAGE], IMAGE, made=LOGISTIC),
    "tanh": lambda: one_op("TANH", [IMAGE], IMAGE, made={"scale": 1 / 128, "zero": 0}),
    "hard swish": lambda: one_op(
        "HARD_SWISH", [IMAGE], IMAGE, schema.HardSwishOptionsT(), version=1
    ),
    "concatenation": lambda: one_op(
        "CONCATENATION",
        [IMAGE, IMAGE],
        (1, 6, 7, 8),
        schema.ConcatenationOptionsT(axis=3),
        made=IN,
    ),
    "pad": lambda: one_op(
        "PAD",
        [IMAGE],
        (1, 8, 7, 4),
        schema.PadOptionsT(),
        made=IN,
        constants=[int32([[0, 0], [1, 1], [0, 0], [0, 0]])],
    ),
    "transpose": lambda: one_op(
        "TRANSPOSE",
        [IMAGE],
        (1, 4, 6, 7),
        schema.TransposeOptionsT(),
        made=IN,
        constants=[int32(0, 3, 1, 2)],
    ),
    "resize": lambda: one_op(
        "RESIZE_NEAREST_NEIGHBOR",
        [IMAGE],
        (1, 12, 14, 4),
        schema.ResizeNearestNeighborOptionsT(),
        made=IN,
        constants=[int32(12, 14)],
    ),
    "requantize": lambda: one_op("QUANTIZE", [IMAGE], IMAGE, schema.QuantizeOptionsT()),
    "float island": float_island,
    "legacy uint8": legacy_uint8,
    "uint8 interface": uint8_interface,
    "dynamic range": dynamic_range,
    "dynamic range conv": lambda: dynamic_convolution(depthwise=False),
    "dynamic range depthwise": lambda: dynamic_convolution(depthwise=True),
    "weight only": weight_only,
}
