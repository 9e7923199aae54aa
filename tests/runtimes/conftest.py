"""Tiny models whose outputs are known: y = 2 * x, as ONNX and as TFLite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
import onnx_ir as ir
import pytest
from ai_edge_litert import schema_py_generated as schema

Dims = Sequence[int | str]
Make = Callable[..., Path]


def _onnx_bytes(dims: Dims) -> bytes:
    shape = ", ".join(map(str, dims))
    model = ir.from_onnx_text(
        f"""<ir_version: 10, opset_import: ["" : 21]>
        twice (float[{shape}] x) => (float[{shape}] y) <float two = {{2}}> {{
            y = Mul(x, two)
        }}"""
    )
    return ir.to_proto(model).SerializeToString()


def _tensor(name: str, dims: Dims, buffer: int, kind: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.buffer, tensor.type = name, buffer, kind
    tensor.shape = [dim if isinstance(dim, int) else 1 for dim in dims]
    tensor.shapeSignature = [dim if isinstance(dim, int) else -1 for dim in dims]
    return tensor


def _buffer(data: bytes = b"") -> schema.BufferT:
    buffer = schema.BufferT()
    if data:
        buffer.data = np.frombuffer(data, np.uint8)
    return buffer


def _signature(key: str, subgraph: int = 0) -> schema.SignatureDefT:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = key, subgraph
    for field, name, index in (("inputs", "image", 0), ("outputs", "scores", 2)):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        setattr(signature, field, [entry])
    return signature


def _model(graph: schema.SubGraphT, opcode: int, version: int) -> schema.ModelT:
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = opcode, opcode, version
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    return model


def _packed(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _graph(tensors: list[schema.TensorT], options: object, kind: int) -> schema.SubGraphT:
    op = schema.OperatorT()
    op.opcodeIndex, op.inputs, op.outputs = 0, [0, 1], [2]
    op.builtinOptionsType, op.builtinOptions = kind, options
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = tensors, [0], [2], [op]
    return graph


def _twice_tflite(dims: Dims, *, signature: str | None, names: tuple[str, str]) -> bytes:
    float32 = schema.TensorType.FLOAT32
    tensors = [
        _tensor(names[0], dims, 0, float32),
        _tensor("two", [1], 1, float32),
        _tensor(names[1], dims, 0, float32),
    ]
    graph = _graph(tensors, schema.MulOptionsT(), schema.BuiltinOptions.MulOptions)
    model = _model(graph, schema.BuiltinOperator.MUL, 1)
    model.buffers = [_buffer(), _buffer(np.float32([2]).tobytes())]
    if signature:
        model.signatureDefs = [_signature(signature)]
    return _packed(model)


def _aborting_tflite(operator: int, dims: Dims, kinds: tuple[int, int, int]) -> bytes:
    tensors = [
        _tensor("x", dims, 0, kinds[0]),
        _tensor("one", [1], 1, kinds[1]),
        _tensor("y", dims, 0, kinds[2]),
    ]
    for tensor in (t for t in tensors if t.type == schema.TensorType.INT8):
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5], [0]
    graph = _graph(tensors, None, schema.BuiltinOptions.NONE)
    model = _model(graph, operator, 1)
    model.buffers = [_buffer(), _buffer(np.int32([1]).tobytes())]
    return _packed(model)


@pytest.fixture
def twice_onnx(tmp_path: Path) -> Make:
    """Return the function that writes y = 2 * x for given dimensions."""

    def make(dims: Dims = ("batch", 3)) -> Path:
        path = tmp_path / "twice.onnx"
        path.write_bytes(_onnx_bytes(dims))
        return path

    return make


@pytest.fixture
def twice_tflite(tmp_path: Path) -> Make:
    """Return the function that writes y = 2 * x, with a signature (image -> scores) or without."""

    def make(
        dims: Dims = ("batch", 3),
        *,
        signature: str | None = None,
        names: tuple[str, str] = ("x", "y"),
    ) -> Path:
        path = tmp_path / "twice.tflite"
        path.write_bytes(_twice_tflite(dims, signature=signature, names=names))
        return path

    return make


@pytest.fixture
def twice(twice_onnx: Make, twice_tflite: Make) -> Callable[[str], Path]:
    """Return the function that writes y = 2 * x, [batch, 3], in a runtime's own format."""
    return lambda suffix: {".onnx": twice_onnx, ".tflite": twice_tflite}[suffix]()


@pytest.fixture
def aborts_when_loaded(tmp_path: Path) -> Path:
    """ADD of int8 into float: LiteRT aborts while it prepares the operator."""
    kinds = (schema.TensorType.INT8, schema.TensorType.INT8, schema.TensorType.FLOAT32)
    path = tmp_path / "mixed.tflite"
    path.write_bytes(_aborting_tflite(schema.BuiltinOperator.ADD, [1, 2, 2, 1], kinds))
    return path


@pytest.fixture
def aborts_when_run(tmp_path: Path) -> Path:
    """SUB over nine axes: LiteRT loads it and aborts in the kernel."""
    kinds = (schema.TensorType.INT32,) * 3
    path = tmp_path / "nine_axes.tflite"
    path.write_bytes(_aborting_tflite(schema.BuiltinOperator.SUB, [1] * 9, kinds))
    return path


@pytest.fixture
def make_onnx(tmp_path: Path) -> Callable[[str], Path]:
    """Return the function that writes an ONNX model given as text."""

    def make(text: str) -> Path:
        path = tmp_path / "model.onnx"
        onnx.save(onnx.parser.parse_model(text), path)
        return path

    return make
