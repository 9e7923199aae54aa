"""Operators between convolutions compute in channels-first order; the answers stay the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.importer import import_bytes
from compressor.ir.annotations import quant_of
from compressor.ir.interface import Layout, interface_of
from tests.compressor.ingest.tflite.cases import SAME, int32, normal
from tests.compressor.ingest.tflite.files import File
from tests.compressor.ingest.tflite.litert import LiteRt, in_onnx_runtime, random_feeds
from tests.tolerances import float32_network

IMAGE = (1, 6, 5, 4)
_LAYERS, _TERMS = 4, 200

Between = Callable[[File, int], int]


def convolution(file: File, source: int, units: int) -> int:
    """Add a 1 x 1 convolution and return its result."""
    *space, channels = file.graph.tensors[source].shape
    made = len(file.graph.operators)
    weight = file.constant(f"w{made}", normal(units, 1, 1, channels, seed=made))
    bias = file.constant(f"b{made}", normal(units, seed=made))
    y = file.tensor(f"conv{made}", (*space, units))
    options = schema.Conv2DOptionsT(padding=SAME, strideH=1, strideW=1)
    file.op("CONV_2D", [source, weight, bias], [y], options)
    return y


def op(
    name: str,
    shape: tuple[int, ...],
    options: Any = None,
    constants: tuple[np.ndarray, ...] = (),
    dtype: str = "float32",
) -> Between:
    def add(file: File, source: int) -> int:
        operands = [file.constant(f"{name}{i}", array) for i, array in enumerate(constants)]
        y = file.tensor(name, shape, dtype)
        file.op(name, [source, *operands], [y], options)
        return y

    return add


def split_and_join(file: File, source: int) -> int:
    parts = [file.tensor(f"part{i}", (1, 6, 5, 2)) for i in range(2)]
    y = file.tensor("joined", IMAGE)
    axis = file.constant("axis", np.int32(3))
    file.op("SPLIT", [axis, source], parts, schema.SplitOptionsT(numSplits=2))
    file.op("CONCATENATION", parts[::-1], [y], schema.ConcatenationOptionsT(axis=3))
    return y


def joined_with_a_constant(file: File, source: int) -> int:
    y = file.tensor("joined", (1, 6, 5, 6))
    extra = file.constant("extra", normal(1, 6, 5, 2))
    file.op("CONCATENATION", [source, extra], [y], schema.ConcatenationOptionsT(axis=-1))
    return y


def squeeze_and_excite(file: File, source: int) -> int:
    pooled, gate = file.tensor("pooled", (1, 1, 1, 4)), file.tensor("gate", (1, 1, 1, 4))
    axes = file.constant("axes", int32(1, 2))
    file.op("MEAN", [source, axes], [pooled], schema.ReducerOptionsT(keepDims=True))
    file.op("LOGISTIC", [convolution(file, pooled, 4)], [gate])
    y = file.tensor("scaled", IMAGE)
    file.op("MUL", [source, gate], [y], schema.MulOptionsT())
    return y


def chosen(file: File, source: int) -> int:
    mask, y = file.tensor("mask", IMAGE, "bool"), file.tensor("chosen", IMAGE)
    zero = file.constant("zero", normal(4))
    file.op("GREATER", [source, zero], [mask], schema.GreaterOptionsT())
    file.op("SELECT_V2", [mask, source, zero], [y], schema.SelectV2OptionsT())
    return y


REDUCED = schema.ReducerOptionsT(keepDims=True)
# What stands between two convolutions, and computes without a Transpose.
BETWEEN: dict[str, Between] = {
    "relu": op("RELU", IMAGE),
    "clip": op("RELU6", IMAGE),
    "add per channel": op("ADD", IMAGE, schema.AddOptionsT(), (normal(4),)),
    "add of a plane": op("ADD", IMAGE, schema.AddOptionsT(), (normal(6, 5, 1),)),
    "mul of a scalar": op("MUL", IMAGE, schema.MulOptionsT(), (np.float32(3),)),
    "prelu": op("PRELU", IMAGE, None, (normal(1, 1, 4),)),
    "softmax": op("SOFTMAX", IMAGE, schema.SoftmaxOptionsT(beta=1.0)),
    "log softmax": op("LOG_SOFTMAX", IMAGE, schema.LogSoftmaxOptionsT()),
    "mean of rows": op("MEAN", (1, 1, 5, 4), REDUCED, (int32([1]),)),
    "mean of channels": op("MEAN", (1, 6, 5, 1), REDUCED, (int32([3]),)),
    "largest of columns": op("REDUCE_MAX", (1, 6, 1, 4), REDUCED, (int32([2]),)),
    "slice": op(
        "SLICE", (1, 3, 5, 2), schema.SliceOptionsT(), (int32(0, 1, 0, 2), int32(1, 3, 5, 2))
    ),
    "strided slice": op(
        "STRIDED_SLICE",
        (1, 3, 5, 2),
        schema.StridedSliceOptionsT(),
        (int32(0, 0, 0, 3), int32(1, 6, 5, 0), int32(1, 2, 1, -2)),
    ),
    "pad": op(
        "PAD", (1, 8, 5, 7), schema.PadOptionsT(), (int32([[0, 0], [2, 0], [0, 0], [1, 2]]),)
    ),
    "mirror": op(
        "MIRROR_PAD",
        (1, 8, 9, 4),
        schema.MirrorPadOptionsT(mode=schema.MirrorPadMode.REFLECT),
        (int32([[0, 0], [2, 0], [3, 1], [0, 0]]),),
    ),
    "gather": op("GATHER", (1, 6, 5, 3), schema.GatherOptionsT(axis=3), (int32(3, 0, 0),)),
    "tile": op("TILE", (1, 6, 10, 8), schema.TileOptionsT(), (int32(1, 1, 2, 2),)),
    "reverse": op("REVERSE_V2", IMAGE, None, (int32([3]),)),
    "cumsum": op("CUMSUM", IMAGE, schema.CumsumOptionsT(), (np.int32(3),)),
    "split and join": split_and_join,
    "joined with a constant": joined_with_a_constant,
    "squeeze and excite": squeeze_and_excite,
    "chosen": chosen,
}
# What ends a network. The number is how many Transposes beside that of the input it may need.
ENDS: dict[str, tuple[Between, int]] = {
    "mean over space": (op("MEAN", (1, 4), schema.ReducerOptionsT(), (int32(1, 2),)), 0),
    "flattened into a product": (
        op("FULLY_CONNECTED", (1, 7), schema.FullyConnectedOptionsT(), (normal(7, 120), normal(7))),
        0,
    ),
    "flattened": (op("RESHAPE", (1, 120), None, (int32(1, 120),)), 1),
    "rows of channels": (op("RESHAPE", (30, 4), None, (int32(30, 4),)), 1),
    "as an image": (op("RELU", IMAGE), 1),
    "transposed by the source": (
        op("TRANSPOSE", (1, 4, 6, 5), schema.TransposeOptionsT(), (int32(0, 3, 1, 2),)),
        0,
    ),
    "best channel": (
        op(
            "ARG_MAX",
            (1, 6, 5),
            schema.ArgMaxOptionsT(outputType=schema.TensorType.INT64),
            (np.int32(3),),
            "int64",
        ),
        1,
    ),
}


def network(add: Between, *, again: bool) -> bytes:
    file = File()
    x = file.tensor("x", IMAGE)
    result = add(file, convolution(file, x, 4))
    return file.pack([x], [convolution(file, result, 3) if again else result])


def assert_same(data: bytes, litert: LiteRt) -> int:
    """Compare the imported graph with LiteRT; return the number of its Transposes."""
    model = import_bytes(data)
    feeds = random_feeds(interface_of(model))
    [want], [have] = litert.run(data, feeds).values(), in_onnx_runtime(model, feeds).values()
    assert (have.shape, have.dtype) == (want.shape, want.dtype)
    bound = float32_network(layers=_LAYERS, terms=_TERMS) * np.abs(want).max()
    assert np.abs(have - want).max() <= bound
    assert interface_of(model).inputs[0].layout is Layout.NHWC
    return sum(node.op_type == "Transpose" for node in model.graph)


@pytest.mark.parametrize("name", BETWEEN)
def test_between_convolutions(name: str, litert: LiteRt) -> None:
    assert assert_same(network(BETWEEN[name], again=True), litert) == 2  # input and output


@pytest.mark.parametrize("name", ENDS)
def test_at_the_end(name: str, litert: LiteRt) -> None:
    add, transposes = ENDS[name]
    assert assert_same(network(add, again=False), litert) <= 1 + transposes


def test_constants_keep_their_scales_along_the_moved_axis() -> None:
    file = File()
    x = file.tensor("x", IMAGE, "int8", scale=0.1)
    weight = np.ones((4, 1, 1, 4), np.int8)
    made = [file.tensor(f"h{i}", IMAGE, "int8", scale=0.1 * (i + 1)) for i in range(3)]
    options = schema.Conv2DOptionsT(padding=SAME, strideH=1, strideW=1)
    weights = [file.constant(f"w{i}", weight, scale=[0.1] * 4) for i in range(2)]
    offset = file.constant("offset", np.arange(4, dtype=np.int8), scale=0.5)
    file.op("CONV_2D", [x, weights[0], -1], [made[0]], options, 3)
    file.op("ADD", [made[0], offset], [made[1]], schema.AddOptionsT(), 2)
    file.op("CONV_2D", [made[1], weights[1], -1], [made[2]], options, 3)
    model = import_bytes(file.pack([x], [made[2]]))
    [add] = [node for node in model.graph if node.op_type == "Add"]
    moved = add.inputs[1]
    assert moved is not None
    assert list(moved.shape or ()) == [1, 4, 1, 1]
    params = quant_of(moved)
    assert params is not None
    assert params.scale == (0.5,)
    assert params.quantize(moved.const_value.numpy()).ravel().tolist() == [0, 1, 2, 3]
