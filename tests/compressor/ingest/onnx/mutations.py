"""Hostile ONNX files: good ones with bytes, fields, names, operators or dimensions changed."""

from collections.abc import Callable

import numpy as np
import onnx
import onnx.parser
import onnx_ir as ir

from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.quantized import GRAPHS, quantized

Random = np.random.Generator
Mutation = Callable[[Random], bytes]

_FUNCTIONS = """<ir_version: 10, opset_import: ["" : 21, "local" : 1]>
g (float[N,3] x) => (float[N,3] y) { a = local.twice(x) b = local.twice(a) y = Softmax(b) }
<domain: "local", opset_import: ["" : 21]>
twice (x) => (y) { k = Constant<value = float {2.0}>() y = Mul(x, k) }
"""
_CONTROL = """<ir_version: 8, opset_import: ["" : 16]>
g (float[3] x, int64 n, bool c) => (float[3] y, float[N,3] all) {
    go = Constant<value = bool {1}>()
    h = If (c) <
        then_branch = t () => (float[3] r) { r = Neg(x) },
        else_branch = e () => (float[3] r) { k = Constant<value = float {3.0}>() r = Mul(x, k) }
    >
    y, all = Loop (n, go, h) <
        body = b (int64 i, bool o, float[3] s) => (bool p, float[3] t, float[3] u) {
            p = Identity(o) t = Add(s, x) u = Neg(t)
        }
    >
}"""
_SHAPES = """<ir_version: 8, opset_import: ["" : 11]>
g (float[N,4,6] x) => (float[N,A,B] y) {
    s = Shape(x) z = Constant<value = int64[1] {0}>() n = Gather(s, z)
    m = Constant<value = int64[2] {3, -1}>() t = Concat<axis=0>(n, m) r = Reshape(x, t)
    p = Pad<mode="constant">(r, w) q = Slice(p, a, b) u = Unsqueeze<axes=[0]>(q)
    v = Squeeze<axes=[0]>(u) k = Softmax<axis=1>(v) e = Tile(k, d) f = Expand(e, o) y = Relu(f)
}"""
_SHAPE_CONSTANTS = {
    "w": [0, 0, 1, 0, 1, 0], "a": [0, 0], "b": [99, 99], "d": [1, 1, 2], "o": [1, 1, 1]
}  # fmt: skip
_OPERATORS = sorted({schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain})
_LENGTHS = [0, -1, 1, 2, 3, 7, 1 << 20, 1 << 31, (1 << 63) - 1, -(1 << 63)]


def seeds() -> list[bytes]:
    """Return good files of every kind that the importer reads."""
    integer = GRAPHS["residual"]()
    quantized(integer)
    shapes = onnx.parser.parse_model(_SHAPES)
    for name, values in _SHAPE_CONSTANTS.items():
        shapes.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values), name))
    content = [ir.to_proto(make()).SerializeToString() for make in GRAPHS.values()]
    content += [onnx.parser.parse_model(t).SerializeToString() for t in (_FUNCTIONS, _CONTROL)]
    return [*content, shapes.SerializeToString(), exporter.write(integer, ExportOptions())]


def mutated(files: list[bytes], seed: int) -> bytes:
    """Return one hostile file, the same for the same *seed*."""
    random = np.random.default_rng(seed)
    content = files[random.integers(len(files))]
    if random.random() < 0.35:
        return _damage_bytes(content, files, random)
    proto = onnx.ModelProto.FromString(content)
    for _ in range(random.integers(1, 4)):
        _FIELDS[random.integers(len(_FIELDS))](proto, random)
    written: bytes = proto.SerializeToString()
    return written


def _damage_bytes(content: bytes, files: list[bytes], random: Random) -> bytes:
    data = bytearray(content)
    kind = random.integers(4)
    if kind == 0:
        for position in random.integers(len(data), size=random.integers(1, 8)):
            data[position] = random.integers(256)
    elif kind == 1:
        del data[random.integers(len(data)) :]
    elif kind == 2:
        other = files[random.integers(len(files))]
        data[random.integers(len(data)) :] = other[random.integers(len(other)) :]
    else:
        start = random.integers(len(data))
        del data[start : start + random.integers(1, 40)]
    return bytes(data)


def _node(proto: onnx.ModelProto, random: Random) -> onnx.NodeProto:
    return proto.graph.node[random.integers(len(proto.graph.node))]


def _names(proto: onnx.ModelProto) -> list[str]:
    made = [name for node in proto.graph.node for name in node.output]
    given = [v.name for v in (*proto.graph.input, *proto.graph.initializer)]
    return [*made, *given, "", "nowhere"]


def _rewire(proto: onnx.ModelProto, random: Random) -> None:
    """An input becomes any other value: cycles, wrong types, missing operands."""
    node, names = _node(proto, random), _names(proto)
    if node.input:
        node.input[random.integers(len(node.input))] = names[random.integers(len(names))]


def _rename(proto: onnx.ModelProto, random: Random) -> None:
    node, names = _node(proto, random), _names(proto)
    node.output[random.integers(len(node.output))] = names[random.integers(len(names))]


def _swap_operator(proto: onnx.ModelProto, random: Random) -> None:
    _node(proto, random).op_type = _OPERATORS[random.integers(len(_OPERATORS))]


def _change_attribute(proto: onnx.ModelProto, random: Random) -> None:
    node = _node(proto, random)
    if not node.attribute:
        return
    attribute = node.attribute[random.integers(len(node.attribute))]
    length = int(_LENGTHS[random.integers(len(_LENGTHS))])
    if attribute.ints:
        attribute.ints[random.integers(len(attribute.ints))] = length
    elif attribute.type == onnx.AttributeProto.INT:
        attribute.i = length
    else:
        attribute.type = int(random.integers(1, 13))


def _change_dimension(proto: onnx.ModelProto, random: Random) -> None:
    values = [*proto.graph.input, *proto.graph.output]
    shape = values[random.integers(len(values))].type.tensor_type.shape
    if shape.dim:
        dimension = shape.dim[random.integers(len(shape.dim))]
        dimension.dim_value = int(_LENGTHS[random.integers(len(_LENGTHS))])


def _change_type(proto: onnx.ModelProto, random: Random) -> None:
    values = [*proto.graph.input, *proto.graph.output]
    value = values[random.integers(len(values))]
    value.type.tensor_type.elem_type = int(random.integers(0, 30))


def _change_constant(proto: onnx.ModelProto, random: Random) -> None:
    """Contents of a constant: shapes, axes and indices go wrong, weights become infinite."""
    if not proto.graph.initializer:
        return
    tensor = proto.graph.initializer[random.integers(len(proto.graph.initializer))]
    array = onnx.numpy_helper.to_array(tensor).copy()
    if array.dtype == np.int64 and array.size:
        array.flat[random.integers(array.size)] = _LENGTHS[random.integers(len(_LENGTHS))]
    elif array.size:
        array.flat[random.integers(array.size)] = random.choice([0, 1, 100])
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def _reshape_constant(proto: onnx.ModelProto, random: Random) -> None:
    if not proto.graph.initializer:
        return
    tensor = proto.graph.initializer[random.integers(len(proto.graph.initializer))]
    array = onnx.numpy_helper.to_array(tensor)
    shapes = [(-1,), (1, -1), (-1, 1), (array.size, 1, 1, 1)]
    chosen = array.reshape(shapes[random.integers(len(shapes))]) if array.size else array
    tensor.CopyFrom(onnx.numpy_helper.from_array(chosen, tensor.name))


def _change_opset(proto: onnx.ModelProto, random: Random) -> None:
    proto.opset_import[0].version = int(random.integers(0, 32))


def _move_node(proto: onnx.ModelProto, random: Random) -> None:
    proto.graph.node.append(_node(proto, random))


_FIELDS: list[Callable[[onnx.ModelProto, Random], None]] = [
    _rewire,
    _rename,
    _swap_operator,
    _swap_operator,
    _change_attribute,
    _change_attribute,
    _change_dimension,
    _change_type,
    _change_constant,
    _change_constant,
    _reshape_constant,
    _change_opset,
    _move_node,
]
