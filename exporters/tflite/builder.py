"""Collects tensors, operators and buffers, and packs them into a TFLite flatbuffer.

The format is `schema.fbs` of LiteRT, written through the object API that ``ai-edge-litert`` ships.
Constants go from numpy straight into the file, 16-byte aligned, and equal ones are stored once.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

import flatbuffers
import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.dialect import (
    Array,
    Shape,
    constant_of,
    is_integer,
    rank_of,
    shape_of,
    tensor_name,
)
from exporters.tflite.quantization import SharedQuantization
from exporters.tflite.sparse import encode
from exporters.tflite.versions import Table, minimum_runtime, operator_version

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
_SCHEMA_VERSION = 3
_FP16_MINIMUM_ELEMENTS = 17
_FP16_MAX = float(np.finfo(np.float16).max)

Op = schema.BuiltinOperator

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "int16": schema.TensorType.INT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "uint16": schema.TensorType.UINT16,
    "uint32": schema.TensorType.UINT32,
    "float64": schema.TensorType.FLOAT64,
    "bool": schema.TensorType.BOOL,
}
_OPTION_KINDS = vars(schema.BuiltinOptions)


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose data starts at a multiple of 16 bytes, as the schema demands."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802
        """Write the data in one piece; the generated code would not align it."""
        if self.data is None:
            return int(super().Pack(builder))
        size = len(self.data)
        builder.StartVector(1, size, _ALIGNMENT)
        head = builder.head = builder.Head() - size
        builder.Bytes[head : head + size] = self.data
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


class Builder:
    """One subgraph in the making. Values and constants become tensors when first used."""

    def __init__(self, *, float16_weights: bool = False, sparse_weights: bool = False) -> None:
        self._float16_weights = float16_weights
        self._sparse_weights = sparse_weights
        self._tensors: list[Table] = []
        self._operators: list[Table] = []
        self._codes: dict[tuple[int, int], int] = {}
        self._buffers: list[Table] = [_AlignedBuffer()]
        self._buffer_of: dict[bytes, int] = {}
        self._tensor_of: dict[tuple[ir.Value, str], int] = {}
        self._names: dict[str, int] = {}
        self._written: dict[bytes, int] = {}
        self._attached: list[Table] = []

    def activation(self, value: ir.Value) -> int:
        """Return the tensor of *value*, which is computed at run time."""
        key = (value, "activation")
        if key not in self._tensor_of:
            params = quant_of(value)
            kind = params.dtype.value if params else _dtype_name(value)
            self._tensor_of[key] = self._tensor(tensor_name(value), shape_of(value), kind, params)
        return self._tensor_of[key]

    def operand(self, node: ir.Node, index: int) -> int:
        """Return the tensor of input *index* of *node*, -1 when it is absent.

        A constant is written as *node* needs it: as integers for an integer node, as integers
        with a DEQUANTIZE for weight-only ones, else as float32 or float16 with a DEQUANTIZE.
        """
        value = node.inputs[index] if index < len(node.inputs) else None
        if value is None:
            return -1
        array = constant_of(value)
        if array is None:
            return self.activation(value)
        params = quant_of(value)
        if params is None:
            return self._float_constant(value, array)
        direct = is_integer(node) or precision_of(node) is Precision.DYNAMIC
        # XNNPACK takes no restored integers as the weights of FULLY_CONNECTED.
        sparse = node.op_type != "FullyConnected"
        return self._integer_constant(
            value, array, params, dequantized=not direct, may_be_sparse=sparse
        )

    def integers(self, node: ir.Node, index: int) -> int:
        """Return the integers of the quantized constant that is input *index* of *node*."""
        value = node.inputs[index]
        array, params = constant_of(value), quant_of(value)
        if value is None or array is None or params is None:
            raise ValueError(f"input {index} of '{node.name}' is no quantized constant")
        return self._integer_constant(value, array, params, dequantized=False)

    def picked(self, node: ir.Node, index: int, shape: Shape) -> int:
        """Return a tensor of *shape* for rows of the quantized table that is input *index*."""
        value = node.inputs[index]
        params = quant_of(value)
        if value is None or params is None:
            raise ValueError(f"input {index} of '{node.name}' is no quantized table")
        if params.axis is not None:
            behind = rank_of(value) - params.axis
            params = dataclasses.replace(params, axis=len(shape) - behind)
        name = f"{node.outputs[0].name}/integers"
        return self._tensor(name, shape, params.dtype.value, params)

    def constant(self, array: Array, name: str) -> int:
        """Return a tensor with the contents of *array* (axes, shapes and other plain numbers)."""
        return self._tensor(name, array.shape, array.dtype.name, None, array)

    def shape(self, values: Sequence[int], node: ir.Node, role: str) -> int:
        """Return an int32 vector for the *role* (``axes``, ``paddings``) of *node*."""
        return self.constant(np.asarray(values, np.int32), f"{node.outputs[0].name}/{role}")

    def scalar(self, real: float, node: ir.Node) -> int:
        """Return the real number *real* in the representation of the output of *node*."""
        params, name = quant_of(node.outputs[0]), f"{node.outputs[0].name}/scalar"
        if params is None:
            kind = _dtype_name(node.outputs[0])
            return self.constant(np.asarray([real]).astype(kind), name)
        return self._tensor(name, (1,), params.dtype.value, params, params.quantize([real]))

    def leave_open(self, tensor: int, axis: int) -> None:
        """Say that how long *axis* of *tensor* is becomes known only at run time."""
        table = self._tensors[tensor]
        table.shapeSignature = [
            -1 if place == axis else extent for place, extent in enumerate(table.shape)
        ]

    def type_of(self, tensor: int) -> int:
        """Return the ``TensorType`` of *tensor*."""
        return int(self._tensors[tensor].type)

    def emit(
        self, op: int, node: ir.Node, inputs: Sequence[int] | None = None, options: Table = None
    ) -> None:
        """Add operator *op* for *node*; its inputs are the node's operands unless given."""
        if inputs is None:
            inputs = [self.operand(node, index) for index in range(len(node.inputs))]
        self.raw(op, inputs, [self.activation(value) for value in node.outputs], options)

    def raw(self, op: int, inputs: Sequence[int], outputs: Sequence[int], options: Table) -> None:
        """Add operator *op* on tensors."""
        sources = [self._tensors[index] for index in inputs if index >= 0]
        results = [self._tensors[index] for index in outputs]
        version = operator_version(op, sources, results, options, len(inputs))
        operator = schema.OperatorT(
            opcodeIndex=self._codes.setdefault((op, version), len(self._codes)),
            inputs=list(inputs),
            outputs=list(outputs),
        )
        if options is not None:
            operator.builtinOptionsType = _OPTION_KINDS[type(options).__name__.removesuffix("T")]
            operator.builtinOptions = options
        self._operators.append(operator)

    def attach(self, name: str, content: bytes) -> None:
        """Add the metadata entry *name*."""
        self._attached.append(schema.MetadataT(name, self._buffer(content)))

    def finish(
        self,
        inputs: Sequence[ir.Value],
        outputs: Sequence[ir.Value],
        manifest: Mapping[str, str],
    ) -> Table:
        """Return the whole model as a ``ModelT``, with the signature ``serving_default``."""
        subgraph = schema.SubGraphT(
            tensors=self._tensors,
            inputs=[self.activation(value) for value in inputs],
            outputs=[self._result(value) for value in outputs],
            operators=self._operators,
            name="main",
        )
        signature = schema.SignatureDefT(
            inputs=[schema.TensorMapT(v.name, self.activation(v)) for v in inputs],
            outputs=[schema.TensorMapT(v.name, self._result(v)) for v in outputs],
            signatureKey="serving_default",
            subgraphIndex=0,
        )
        return schema.ModelT(
            version=_SCHEMA_VERSION,
            operatorCodes=[_operator_code(*code) for code in self._codes],
            subgraphs=[subgraph],
            description="edgec",
            metadata=self._metadata(manifest),
            buffers=self._buffers,
            signatureDefs=[signature],
        )

    def _result(self, value: ir.Value) -> int:
        """Return the tensor of the graph output *value*, which may be known at compile time."""
        array = constant_of(value)
        return self.activation(value) if array is None else self._float_constant(value, array)

    def _metadata(self, manifest: Mapping[str, str]) -> list[Table]:
        version = minimum_runtime(self._codes).encode().ljust(16, b"\0")
        entries = [schema.MetadataT("min_runtime_version", self._buffer(version)), *self._attached]
        if manifest:
            text = json.dumps(dict(sorted(manifest.items())), separators=(",", ":"))
            entries.append(schema.MetadataT("edgec", self._buffer(text.encode())))
        return entries

    def _float_constant(self, value: ir.Value, array: Array) -> int:
        halve = self._float16_weights and _fits_float16(array)
        key = (value, "float16" if halve else "float")
        if key in self._tensor_of:
            return self._tensor_of[key]
        name = tensor_name(value)
        if halve:
            half = array.astype(np.float16)
            source = self._tensor(f"{name}/float16", half.shape, "float16", None, half)
            index = self._dequantized(source, name, half.shape)
        else:
            index = self._stored(name, array, array.dtype.name, None)
        return self._tensor_of.setdefault(key, index)

    def _integer_constant(
        self,
        value: ir.Value,
        array: Array,
        params: QuantParams,
        *,
        dequantized: bool,
        may_be_sparse: bool = False,
    ) -> int:
        key = (value, "dequantized" if dequantized else "integer")
        if key in self._tensor_of:
            return self._tensor_of[key]
        name = tensor_name(value)
        if dequantized:
            source = self._integer_constant(value, array, params, dequantized=False)
            index = self._dequantized(source, f"{name}/dequantized", array.shape)
        else:
            integers = params.quantize(array)
            store = self._stored if may_be_sparse else self._plain
            index = store(name, integers, params.dtype.value, params)
        return self._tensor_of.setdefault(key, index)

    def _stored(self, name: str, array: Array, kind: str, params: QuantParams | None) -> int:
        """Return the tensor of *array*, restored from its sparse form where that is smaller."""
        sparse = encode(array) if self._sparse_weights else None
        if sparse is None:
            return self._plain(name, array, kind, params)
        source = self._tensor(f"{name}/sparse", array.shape, kind, params, sparse.values)
        self._tensors[source].sparsity = sparse.parameters
        index = self._tensor(name, array.shape, kind, params)
        self.raw(Op.DENSIFY, [source], [index], schema.DensifyOptionsT())
        return index

    def _plain(self, name: str, array: Array, kind: str, params: QuantParams | None) -> int:
        return self._tensor(name, array.shape, kind, params, array)

    def _dequantized(self, source: int, name: str, shape: Shape) -> int:
        index = self._tensor(name, shape, "float32", None)
        self.raw(Op.DEQUANTIZE, [source], [index], schema.DequantizeOptionsT())
        return index

    def _tensor(
        self,
        name: str,
        shape: Shape,
        kind: str,
        params: QuantParams | None,
        contents: Array | None = None,
    ) -> int:
        tensor = schema.TensorT(
            shape=list(shape),
            type=_TYPES[kind],
            buffer=0 if contents is None else self._buffer(np.ascontiguousarray(contents)),
            name=self._unique(name),
            quantization=None if params is None else SharedQuantization(params, self._written),
            hasRank=True,
        )
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _unique(self, name: str) -> str:
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        return self._unique(f"{name}_{count}") if count else name

    def _buffer(self, contents: Array | bytes) -> int:
        data = contents if isinstance(contents, bytes) else contents.tobytes()
        if data not in self._buffer_of:
            self._buffer_of[data] = len(self._buffers)
            self._buffers.append(_AlignedBuffer(data=data))
        return self._buffer_of[data]


def pack(model: Table) -> bytes:
    """Return *model* (a ``ModelT``) as the bytes of a .tflite file."""
    size = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    builder = flatbuffers.Builder(size + (1 << 16))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(memoryview(builder.Bytes)[builder.Head() :])


def _operator_code(op: int, version: int) -> Table:
    """Return the code entry; *deprecatedBuiltinCode* is one byte and saturates at 127."""
    return schema.OperatorCodeT(builtinCode=op, deprecatedBuiltinCode=min(op, 127), version=version)


def _dtype_name(value: ir.Value) -> str:
    return "float32" if value.dtype is None else value.dtype.numpy().name


def has_tensor_type(value: ir.Value) -> bool:
    """Whether TFLite has tensors of the type of *value*."""
    return _dtype_name(value) in _TYPES


def _fits_float16(array: Array) -> bool:
    large_enough = array.dtype == np.float32 and array.size >= _FP16_MINIMUM_ELEMENTS
    return bool(large_enough and np.abs(array).max() <= _FP16_MAX)
