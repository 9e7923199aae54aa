"""One small file for each operator that the importer reads."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.compressor.ingest.tflite.files import File

SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
RELU, RELU6, RELU_N1, TANH = 1, 3, 2, 4
IMAGE = (1, 6, 7, 4)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def int32(*values: Any) -> np.ndarray:
    return np.asarray(values[0] if len(values) == 1 else values, np.int32)


def one_op(
    name: str,
    shapes: list[tuple[int, ...]],
    constants: list[np.ndarray],
    out: tuple[int, ...] | list[tuple[int, ...]],
    options: Any = None,
    *,
    types: tuple[str, ...] = (),
    out_types: tuple[str, ...] = ("float32",),
    version: int = 1,
    order: list[int] | None = None,
) -> bytes:
    """Return a file of one operator that reads inputs of *shapes*, then *constants*."""
    file = File()
    kinds = types or ("float32",) * len(shapes)
    inputs = [
        file.tensor(f"x{i}", s, k) for i, (s, k) in enumerate(zip(shapes, kinds, strict=True))
    ]
    operands = [*inputs, *(file.constant(f"c{i}", a) for i, a in enumerate(constants))]
    outs = out if isinstance(out, list) else [out]
    made = [file.tensor(f"y{i}", s, out_types[i % len(out_types)]) for i, s in enumerate(outs)]
    arranged = operands if order is None else [operands[i] for i in order]
    file.op(name, arranged, made, options, version)
    return file.pack(inputs, made)


def convolution(
    kernel: int, stride: int, dilation: int, padding: int, activation: int = 0, groups: int = 1
) -> bytes:
    size = [IMAGE[1], IMAGE[2]]
    span = (kernel - 1) * dilation + 1
    out = [-(-n // stride) if padding == SAME else (n - span) // stride + 1 for n in size]
    options = schema.Conv2DOptionsT(
        padding=padding,
        strideH=stride,
        strideW=stride,
        dilationHFactor=dilation,
        dilationWFactor=dilation,
        fusedActivationFunction=activation,
    )
    constants = [normal(6, kernel, kernel, 4 // groups), normal(6)]
    return one_op("CONV_2D", [IMAGE], constants, (1, *out, 6), options)


def depthwise(multiplier: int, stride: int = 1, dilation: int = 1) -> bytes:
    out = [-(-n // stride) for n in IMAGE[1:3]]
    options = schema.DepthwiseConv2DOptionsT(
        padding=SAME,
        strideH=stride,
        strideW=stride,
        dilationHFactor=dilation,
        dilationWFactor=dilation,
        depthMultiplier=multiplier,
        fusedActivationFunction=RELU6,
    )
    channels = 4 * multiplier
    constants = [normal(1, 3, 3, channels), normal(channels)]
    return one_op("DEPTHWISE_CONV_2D", [IMAGE], constants, (1, *out, channels), options)


def transposed(kernel: int, stride: int, padding: int, extra: int = 0) -> bytes:
    file = File()
    size = IMAGE[1:3]
    out = [
        n * stride if padding == SAME else (n - 1) * stride + max(kernel, stride) + extra
        for n in size
    ]
    x = file.tensor("x", IMAGE)
    y = file.tensor("y", (1, *out, 5))
    shape = file.constant("shape", int32([1, *out, 5]))
    weight = file.constant("w", normal(5, kernel, kernel, 4))
    bias = file.constant("b", normal(5))
    options = schema.TransposeConvOptionsT(padding=padding, strideH=stride, strideW=stride)
    file.op("TRANSPOSE_CONV", [shape, weight, x, bias], [y], options, 3)
    return file.pack([x], [y])


def pool(op: str, kernel: int, stride: int, padding: int) -> bytes:
    size = IMAGE[1:3]
    out = [-(-n // stride) if padding == SAME else (n - kernel) // stride + 1 for n in size]
    options = schema.Pool2DOptionsT(
        padding=padding, strideH=stride, strideW=stride, filterHeight=kernel, filterWidth=kernel
    )
    return one_op(op, [IMAGE], [], (1, *out, 4), options)


def unary(op: str, options: Any = None) -> bytes:
    return one_op(op, [IMAGE], [], IMAGE, options)


def binary(op: str, left: tuple[int, ...], right: tuple[int, ...], options: Any = None) -> bytes:
    return one_op(op, [left, right], [], np.broadcast_shapes(left, right), options)


def with_constant(op: str, constant: np.ndarray, options: Any = None) -> bytes:
    return one_op(op, [IMAGE], [constant], np.broadcast_shapes(IMAGE, constant.shape), options)


def reduction(op: str, axes: list[int], keep: bool) -> bytes:
    positive = [axis % 4 for axis in axes]
    extents = enumerate(IMAGE)
    out = tuple(1 if a in positive else n for a, n in extents if keep or a not in positive)
    return one_op(op, [IMAGE], [int32(axes)], out, schema.ReducerOptionsT(keepDims=keep))


def resize(op: str, out: tuple[int, int], corners: bool, half: bool) -> bytes:
    kind = {
        "RESIZE_BILINEAR": schema.ResizeBilinearOptionsT,
        "RESIZE_NEAREST_NEIGHBOR": schema.ResizeNearestNeighborOptionsT,
    }[op]
    options = kind(alignCorners=corners, halfPixelCenters=half)
    return one_op(op, [IMAGE], [int32(out)], (1, *out, 4), options, version=3)


def strided(begin: list[int], end: list[int], step: list[int], **masks: int) -> bytes:
    slices: list[Any] = []
    for axis in range(len(begin)):
        bit = 1 << axis
        first = None if masks.get("beginMask", 0) & bit else begin[axis]
        last = None if masks.get("endMask", 0) & bit else end[axis]
        shrink = masks.get("shrinkAxisMask", 0) & bit
        slices.append(begin[axis] if shrink else slice(first, last, step[axis]))
    out = np.zeros(IMAGE)[tuple(slices)].shape
    options = schema.StridedSliceOptionsT(**masks)
    constants = [int32(begin), int32(end), int32(step)]
    return one_op("STRIDED_SLICE", [IMAGE], constants, out, options)


def lstm(time_major: bool) -> bytes:
    file = File()
    steps, batch, width, hidden = 5, 2, 3, 4
    shape = (steps, batch, width) if time_major else (batch, steps, width)
    x = file.tensor("x", shape)
    inputs = [x]
    inputs += [file.constant(f"w{i}", normal(hidden, width, seed=i)) for i in range(4)]
    inputs += [file.constant(f"r{i}", normal(hidden, hidden, seed=i)) for i in range(4)]
    inputs += [-1, -1, -1]
    inputs += [file.constant(f"b{i}", normal(hidden, seed=i)) for i in range(4)]
    inputs += [-1, -1]
    for name in ("h", "c"):
        state = file.tensor(name, (batch, hidden))
        file.graph.tensors[state].isVariable = True
        inputs.append(state)
    inputs += [-1, -1, -1, -1]
    y = file.tensor("y", (*shape[:2], hidden))
    options = schema.UnidirectionalSequenceLSTMOptionsT(
        fusedActivationFunction=TANH, timeMajor=time_major
    )
    file.op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], options)
    return file.pack([x], [y])


def chain() -> bytes:
    """SHAPE, a part of it, FILL with it, and RANGE: computed at run time in LiteRT."""
    file = File()
    x = file.tensor("x", (3, 4))
    shape = file.tensor("shape", (2,), "int32")
    filled = file.tensor("filled", (3, 4))
    y = file.tensor("y", (3, 4))
    file.op("SHAPE", [x], [shape], schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    file.op("FILL", [shape, file.constant("two", np.float32(2))], [filled], schema.FillOptionsT())
    file.op("MUL", [x, filled], [y], schema.MulOptionsT())
    return file.pack([x], [y])


def counted() -> bytes:
    """A vector plus 1, 3, 5, 7."""
    file = File()
    x, odd, y = file.tensor("x", (4,)), file.tensor("odd", (4,)), file.tensor("y", (4,))
    bounds = [file.constant(f"c{n}", np.float32(n)) for n in (1, 8, 2)]
    file.op("RANGE", bounds, [odd], schema.RangeOptionsT())
    file.op("ADD", [x, odd], [y], schema.AddOptionsT())
    return file.pack([x], [y])


def there_and_back() -> bytes:
    file = File()
    x, y = file.tensor("x", IMAGE), file.tensor("y", IMAGE)
    q = file.tensor("q", IMAGE, "int8", scale=0.05, zero=3)
    file.op("QUANTIZE", [x], [q], schema.QuantizeOptionsT())
    file.op("DEQUANTIZE", [q], [y], schema.DequantizeOptionsT(), 2)
    return file.pack([x], [y])


def half_precision() -> bytes:
    file = File()
    x = file.tensor("x", (2, 8))
    half = file.constant("half", normal(5, 8).astype(np.float16))
    weight = file.tensor("w", (5, 8))
    y = file.tensor("y", (2, 5))
    file.op("DEQUANTIZE", [half], [weight], None, 3)
    bias = file.constant("b", normal(5))
    file.op("FULLY_CONNECTED", [x, weight, bias], [y], schema.FullyConnectedOptionsT())
    return file.pack([x], [y])


_ADD, _MUL = schema.AddOptionsT, schema.MulOptionsT
_ARG = {"out_types": ("int64",)}
_MASK = {"types": ("bool", "float32", "float32")}

CASES: dict[str, Callable[[], bytes]] = {
    "conv same": lambda: convolution(3, 1, 1, SAME),
    "conv same, stride 2, even kernel": lambda: convolution(2, 2, 1, SAME, RELU),
    "conv valid": lambda: convolution(3, 2, 1, VALID, RELU6),
    "conv dilated": lambda: convolution(3, 1, 2, SAME, RELU_N1),
    "conv grouped": lambda: convolution(3, 1, 1, SAME, 0, 2),
    "depthwise": lambda: depthwise(1),
    "depthwise with multiplier": lambda: depthwise(3, 2),
    "depthwise dilated": lambda: depthwise(1, 1, 2),
    "transposed same": lambda: transposed(3, 2, SAME),
    "transposed valid": lambda: transposed(3, 2, VALID),
    "transposed, kernel below stride": lambda: transposed(2, 3, VALID),
    "max pool": lambda: pool("MAX_POOL_2D", 3, 2, SAME),
    "average pool same": lambda: pool("AVERAGE_POOL_2D", 3, 2, SAME),
    "average pool valid": lambda: pool("AVERAGE_POOL_2D", 2, 2, VALID),
    "fully connected": lambda: one_op(
        "FULLY_CONNECTED",
        [(3, 8)],
        [normal(5, 8), normal(5)],
        (3, 5),
        schema.FullyConnectedOptionsT(fusedActivationFunction=RELU),
    ),
    "fully connected flattens": lambda: one_op(
        "FULLY_CONNECTED", [IMAGE], [normal(5, 168)], (1, 5), schema.FullyConnectedOptionsT()
    ),
    "fully connected keeps axes": lambda: one_op(
        "FULLY_CONNECTED",
        [(2, 3, 8)],
        [normal(5, 8), normal(5)],
        (2, 3, 5),
        schema.FullyConnectedOptionsT(keepNumDims=True),
        version=5,
    ),
    "batch matmul": lambda: one_op(
        "BATCH_MATMUL", [(2, 3, 4), (2, 4, 5)], [], (2, 3, 5), schema.BatchMatMulOptionsT()
    ),
    "batch matmul, adjoint": lambda: one_op(
        "BATCH_MATMUL",
        [(2, 4, 3), (2, 5, 4)],
        [],
        (2, 3, 5),
        schema.BatchMatMulOptionsT(adjX=True, adjY=True),
    ),
    "add": lambda: binary("ADD", IMAGE, IMAGE, _ADD(fusedActivationFunction=RELU)),
    "add of channels": lambda: with_constant("ADD", normal(4), _ADD()),
    "mul of a scalar": lambda: with_constant("MUL", np.float32(2.5), _MUL()),
    "mul of lower rank": lambda: binary("MUL", IMAGE, (7, 1), _MUL()),
    "sub": lambda: binary("SUB", (1, 4), (3, 1), schema.SubOptionsT(fusedActivationFunction=RELU6)),
    "div": lambda: with_constant("DIV", 1 + abs(normal(4)), schema.DivOptionsT()),
    "maximum": lambda: binary("MAXIMUM", IMAGE, (4,), schema.MaximumMinimumOptionsT()),
    "minimum": lambda: binary("MINIMUM", IMAGE, IMAGE, schema.MaximumMinimumOptionsT()),
    "pow": lambda: one_op("POW", [IMAGE], [np.float32(2)], IMAGE, schema.PowOptionsT()),
    "squared difference": lambda: binary(
        "SQUARED_DIFFERENCE", IMAGE, IMAGE, schema.SquaredDifferenceOptionsT()
    ),
    "floor div": lambda: with_constant("FLOOR_DIV", np.float32([0.7]), schema.FloorDivOptionsT()),
    "floor mod": lambda: with_constant("FLOOR_MOD", np.float32([0.7]), schema.FloorModOptionsT()),
    "abs": lambda: unary("ABS", schema.AbsOptionsT()),
    "ceil": lambda: unary("CEIL"),
    "cos": lambda: unary("COS", schema.CosOptionsT()),
    "exp": lambda: unary("EXP", schema.ExpOptionsT()),
    "floor": lambda: unary("FLOOR"),
    "neg": lambda: unary("NEG", schema.NegOptionsT()),
    "round": lambda: unary("ROUND"),
    "sin": lambda: unary("SIN"),
    "sign": lambda: unary("SIGN"),
    "square": lambda: unary("SQUARE", schema.SquareOptionsT()),
    "zeros like": lambda: unary("ZEROS_LIKE", schema.ZerosLikeOptionsT()),
    "relu": lambda: unary("RELU"),
    "relu6": lambda: unary("RELU6"),
    "relu -1 to 1": lambda: unary("RELU_N1_TO_1"),
    "relu 0 to 1": lambda: unary("RELU_0_TO_1"),
    "elu": lambda: unary("ELU"),
    "gelu": lambda: unary("GELU", schema.GeluOptionsT()),
    "gelu by tanh": lambda: unary("GELU", schema.GeluOptionsT(approximate=True)),
    "hard swish": lambda: unary("HARD_SWISH", schema.HardSwishOptionsT()),
    "leaky relu": lambda: unary("LEAKY_RELU", schema.LeakyReluOptionsT(alpha=0.2)),
    "logistic": lambda: unary("LOGISTIC"),
    "log softmax": lambda: unary("LOG_SOFTMAX", schema.LogSoftmaxOptionsT()),
    "prelu": lambda: with_constant("PRELU", normal(1, 1, 4)),
    "softmax": lambda: unary("SOFTMAX", schema.SoftmaxOptionsT(beta=1.0)),
    "softmax, beta": lambda: unary("SOFTMAX", schema.SoftmaxOptionsT(beta=0.5)),
    "tanh": lambda: unary("TANH"),
    "mean": lambda: reduction("MEAN", [1, 2], keep=False),
    "mean of channels": lambda: reduction("MEAN", [-1], keep=True),
    "sum": lambda: reduction("SUM", [1], keep=True),
    "reduce max": lambda: reduction("REDUCE_MAX", [2, 3], keep=False),
    "reduce min": lambda: reduction("REDUCE_MIN", [3], keep=True),
    "reduce prod": lambda: reduction("REDUCE_PROD", [1], keep=False),
    "arg max": lambda: one_op(
        "ARG_MAX",
        [IMAGE],
        [np.int32(-1)],
        IMAGE[:3],
        schema.ArgMaxOptionsT(outputType=schema.TensorType.INT64),
        **_ARG,
    ),
    "arg min": lambda: one_op(
        "ARG_MIN",
        [IMAGE],
        [np.int32(1)],
        (1, 7, 4),
        schema.ArgMinOptionsT(outputType=schema.TensorType.INT32),
        out_types=("int32",),
    ),
    "cumsum": lambda: one_op(
        "CUMSUM", [IMAGE], [np.int32(2)], IMAGE, schema.CumsumOptionsT(exclusive=True, reverse=True)
    ),
    "top k": lambda: one_op(
        "TOPK_V2",
        [(2, 9)],
        [np.int32(3)],
        [(2, 3), (2, 3)],
        schema.TopKV2OptionsT(),
        out_types=("float32", "int32"),
    ),
    "l2 normalization": lambda: unary("L2_NORMALIZATION", schema.L2NormOptionsT()),
    "reshape": lambda: one_op(
        "RESHAPE", [IMAGE], [int32(2, -1)], (2, 84), schema.ReshapeOptionsT(newShape=[2, -1])
    ),
    "squeeze": lambda: one_op(
        "SQUEEZE", [(1, 4, 1)], [], (4,), schema.SqueezeOptionsT(squeezeDims=[0, 2])
    ),
    "expand dims": lambda: one_op("EXPAND_DIMS", [(3, 4)], [np.int32(1)], (3, 1, 4)),
    "transpose": lambda: one_op(
        "TRANSPOSE", [IMAGE], [int32(0, 2, 3, 1)], (1, 7, 4, 6), schema.TransposeOptionsT()
    ),
    "concatenation": lambda: one_op(
        "CONCATENATION",
        [IMAGE, (1, 6, 7, 2)],
        [],
        (1, 6, 7, 6),
        schema.ConcatenationOptionsT(axis=-1),
    ),
    "pack": lambda: one_op(
        "PACK", [(3, 4), (3, 4)], [], (3, 2, 4), schema.PackOptionsT(valuesCount=2, axis=1)
    ),
    "unpack": lambda: one_op(
        "UNPACK", [(3, 2, 4)], [], [(3, 4), (3, 4)], schema.UnpackOptionsT(num=2, axis=1)
    ),
    "split": lambda: one_op(
        "SPLIT",
        [IMAGE],
        [np.int32(3)],
        [(1, 6, 7, 2), (1, 6, 7, 2)],
        schema.SplitOptionsT(numSplits=2),
        order=[1, 0],
    ),
    "split by sizes": lambda: one_op(
        "SPLIT_V",
        [IMAGE],
        [int32(1, -1, 2), np.int32(1)],
        [(1, 1, 7, 4), (1, 3, 7, 4), (1, 2, 7, 4)],
        schema.SplitVOptionsT(numSplits=3),
    ),
    "slice": lambda: one_op(
        "SLICE",
        [IMAGE],
        [int32(0, 1, 2, 0), int32(1, 3, -1, 4)],
        (1, 3, 5, 4),
        schema.SliceOptionsT(),
    ),
    "strided slice": lambda: strided([0, 0, 1, 0], [1, 6, 7, 4], [1, 2, 3, 1]),
    "strided slice, masks": lambda: strided(
        [0, 3, 0, 0], [0, 0, 5, 0], [1, 1, 2, 1], beginMask=5, endMask=11
    ),
    "strided slice backwards": lambda: strided(
        [0, 4, 6, 0], [1, 1, 0, 4], [1, -1, -2, 1], endMask=4
    ),
    "strided slice drops axes": lambda: strided(
        [0, 2, -1, 0], [1, 3, 0, 4], [1, 1, 1, 1], shrinkAxisMask=6
    ),
    "reverse": lambda: one_op("REVERSE_V2", [IMAGE], [int32([2])], IMAGE),
    "gather": lambda: one_op(
        "GATHER",
        [IMAGE],
        [int32(3, 0, 2)],
        (1, 6, 7, 3),
        schema.GatherOptionsT(axis=3),
    ),
    "gather nd": lambda: one_op(
        "GATHER_ND", [(3, 4, 5)], [int32([[0, 1], [2, 3]])], (2, 5), schema.GatherNdOptionsT()
    ),
    "embedding lookup": lambda: one_op(
        "EMBEDDING_LOOKUP", [(3,)], [normal(9, 4)], (3, 4), types=("int32",)
    ),
    "one hot": lambda: one_op(
        "ONE_HOT",
        [(3,)],
        [np.int32(5), np.float32(2), np.float32(-1)],
        (3, 5),
        schema.OneHotOptionsT(axis=-1),
        types=("int32",),
    ),
    "pad": lambda: one_op(
        "PAD",
        [IMAGE],
        [int32([[0, 0], [1, 2], [0, 3], [0, 1]])],
        (1, 9, 10, 5),
        schema.PadOptionsT(),
    ),
    "pad with a value": lambda: one_op(
        "PADV2",
        [IMAGE],
        [int32([[0, 0], [1, 2], [0, 3], [0, 0]]), np.float32(-2)],
        (1, 9, 10, 4),
        schema.PadV2OptionsT(),
    ),
    "mirror pad": lambda: one_op(
        "MIRROR_PAD",
        [IMAGE],
        [int32([[0, 0], [1, 2], [0, 3], [0, 0]])],
        (1, 9, 10, 4),
        schema.MirrorPadOptionsT(mode=schema.MirrorPadMode.REFLECT),
    ),
    "mirror pad, symmetric": lambda: one_op(
        "MIRROR_PAD",
        [IMAGE],
        [int32([[0, 0], [1, 6], [0, 3], [0, 0]])],
        (1, 13, 10, 4),
        schema.MirrorPadOptionsT(mode=schema.MirrorPadMode.SYMMETRIC),
    ),
    "depth to space": lambda: one_op(
        "DEPTH_TO_SPACE", [(1, 3, 2, 8)], [], (1, 6, 4, 2), schema.DepthToSpaceOptionsT(blockSize=2)
    ),
    "space to depth": lambda: one_op(
        "SPACE_TO_DEPTH", [(1, 6, 4, 2)], [], (1, 3, 2, 8), schema.SpaceToDepthOptionsT(blockSize=2)
    ),
    **{
        f"{op.lower()} to {out}, {'corners' * corners}{'half' * half}": (
            lambda op=op, out=out, corners=corners, half=half: resize(op, out, corners, half)
        )
        for op in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
        for out in ((12, 14), (4, 9))
        for corners, half in ((False, False), (True, False), (False, True))
    },
    "less": lambda: one_op(
        "LESS", [IMAGE, IMAGE], [], IMAGE, schema.LessOptionsT(), out_types=("bool",)
    ),
    "greater equal": lambda: one_op(
        "GREATER_EQUAL", [IMAGE], [np.float32(0)], IMAGE, out_types=("bool",)
    ),
    "logical or": lambda: one_op(
        "LOGICAL_OR", [(5,), (5,)], [], (5,), types=("bool", "bool"), out_types=("bool",)
    ),
    "reduce all": lambda: one_op(
        "REDUCE_ALL",
        [(3, 5)],
        [int32([1])],
        (3, 1),
        schema.ReducerOptionsT(keepDims=True),
        types=("bool",),
        out_types=("bool",),
    ),
    "range": counted,
    "quantize and dequantize": there_and_back,
    "equal": lambda: one_op(
        "EQUAL", [IMAGE, IMAGE], [], IMAGE, schema.EqualOptionsT(), out_types=("bool",)
    ),
    "not equal": lambda: one_op(
        "NOT_EQUAL", [IMAGE, IMAGE], [], IMAGE, schema.NotEqualOptionsT(), out_types=("bool",)
    ),
    "greater": lambda: one_op(
        "GREATER", [IMAGE, (4,)], [], IMAGE, schema.GreaterOptionsT(), out_types=("bool",)
    ),
    "less equal": lambda: one_op(
        "LESS_EQUAL", [IMAGE, IMAGE], [], IMAGE, schema.LessEqualOptionsT(), out_types=("bool",)
    ),
    "logical and": lambda: one_op(
        "LOGICAL_AND",
        [(5,), (5,)],
        [],
        (5,),
        schema.LogicalAndOptionsT(),
        types=("bool", "bool"),
        out_types=("bool",),
    ),
    "logical not": lambda: one_op(
        "LOGICAL_NOT", [(5,)], [], (5,), types=("bool",), out_types=("bool",)
    ),
    "reduce any": lambda: one_op(
        "REDUCE_ANY",
        [(3, 5)],
        [int32([1])],
        (3,),
        schema.ReducerOptionsT(),
        types=("bool",),
        out_types=("bool",),
    ),
    "select": lambda: one_op("SELECT", [(3,), (3, 4), (3, 4)], [], (3, 4), **_MASK),
    "select with broadcasting": lambda: one_op(
        "SELECT_V2", [(4,), (3, 4), (1,)], [], (3, 4), schema.SelectV2OptionsT(), **_MASK
    ),
    "tile": lambda: one_op("TILE", [(2, 3)], [int32(2, 3)], (4, 9), schema.TileOptionsT()),
    "broadcast to": lambda: one_op(
        "BROADCAST_TO", [(3, 1)], [int32(2, 3, 4)], (2, 3, 4), version=2
    ),
    "cast": lambda: one_op(
        "CAST",
        [IMAGE],
        [],
        IMAGE,
        schema.CastOptionsT(
            inDataType=schema.TensorType.FLOAT32, outDataType=schema.TensorType.INT32
        ),
        out_types=("int32",),
    ),
    "shape and fill": chain,
    "half precision": half_precision,
    "lstm, batch first": lambda: lstm(time_major=False),
    "lstm, time first": lambda: lstm(time_major=True),
}
# Operators that are defined for positive numbers only.
POSITIVE: dict[str, Callable[[], bytes]] = {
    "log": lambda: unary("LOG"),
    "rsqrt": lambda: unary("RSQRT"),
    "sqrt": lambda: unary("SQRT"),
}
