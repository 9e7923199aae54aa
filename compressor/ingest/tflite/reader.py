"""From bytes to ``Contents``: every number in the file is checked before it is used."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Array, Contents, Operator, Shape, Tensor
from compressor.ingest.tflite.flatbuffer import Malformed, check_structure
from compressor.ingest.tflite.quantization import read_params
from compressor.ingest.tflite.refusal import foreign, too_large, unknown, unreadable

MAX_TENSORS, MAX_OPERATORS = 200_000, 20_000
MAX_RANK = 8
MAX_ELEMENTS = 1 << 26
_MANIFEST = "edgec"
_DAMAGES = (struct.error, ValueError, IndexError, OverflowError, TypeError)

# A table of the schema: its generated classes have no annotations.
Table = Any

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
_OPTIONS = {
    kind: getattr(schema, f"{name}T")
    for name, kind in vars(schema.BuiltinOptions).items()
    if hasattr(schema, f"{name}T")
}
_TYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.FLOAT16: "float16",
    schema.TensorType.FLOAT64: "float64",
    schema.TensorType.INT8: "int8",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT32: "int32",
    schema.TensorType.INT64: "int64",
    schema.TensorType.BOOL: "bool",
}
_INT4 = schema.TensorType.INT4
_TYPE_NAMES = {code: name for name, code in vars(schema.TensorType).items() if name.isupper()}


def read_contents(data: bytes) -> Contents:
    """Return what the TFLite file *data* holds in its main subgraph.

    Raises:
        EdgecError: ``MODEL_UNREADABLE``, ``MODEL_TOO_LARGE`` or ``MODEL_UNSUPPORTED``.
    """
    try:
        check_structure(data)
        return _Reader(data).contents()
    except Malformed as problem:
        raise unreadable(str(problem)) from problem
    except _DAMAGES as error:
        raise unreadable(f"a table is damaged ({error})") from error


class _Reader:
    """Reads one file; tensors are read once, in the order of the subgraph."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._model = schema.Model.GetRootAs(data, 0)
        if not self._model.SubgraphsLength():
            raise Malformed("it has no subgraph")
        self._graph = self._model.Subgraphs(0)
        self._budget = 4 * len(data) + (1 << 24)
        self._tensors: list[Tensor] = []

    def contents(self) -> Contents:
        """Read the main subgraph."""
        for what, count, most in (
            ("tensors", self._graph.TensorsLength(), MAX_TENSORS),
            ("operators", self._graph.OperatorsLength(), MAX_OPERATORS),
        ):
            if count > most:
                raise too_large(f"the model has {count:,} {what}", f"{most:,}")
        names: dict[str, int] = {}
        for index in range(self._graph.TensorsLength()):
            self._tensors.append(self._tensor(index, self._graph.Tensors(index), names))
        inputs = self._listed(self._graph.InputsAsNumpy(), "input")
        outputs = self._listed(self._graph.OutputsAsNumpy(), "output")
        if not outputs:
            raise Malformed("it has no outputs")
        operators = tuple(self._operator(i) for i in range(self._graph.OperatorsLength()))
        _check_order(operators, inputs, outputs)
        public_in, public_out = self._public_names(inputs, outputs)
        return Contents(
            operators=operators,
            inputs=public_in,
            outputs=public_out,
            description=_text(self._model.Description()),
            size=len(self._data),
            metadata=self._manifest(),
        )

    def _tensor(self, index: int, table: Table, names: dict[str, int]) -> Tensor:
        name = _unique(_text(table.Name()) or f"tensor_{index}", names)
        shape = _shape(table.ShapeAsNumpy(), name)
        signature = _shape(table.ShapeSignatureAsNumpy(), name, lowest=-1) or shape
        if len(signature) != len(shape):
            raise Malformed(f"shape and signature of tensor '{name}' differ in rank")
        kind = table.Type()
        if kind not in _TYPES and kind != _INT4:
            raise foreign(name, f"has the type {_TYPE_NAMES.get(kind, kind)}")
        if table.Sparsity() is not None:
            raise foreign(name, "is stored sparsely")
        dtype = np.dtype("int8" if kind == _INT4 else _TYPES[kind])
        data = self._constant(table, shape, kind, name)
        return Tensor(
            index=index,
            name=name,
            dtype=dtype,
            shape=shape,
            signature=signature,
            params=read_params(table.Quantization(), dtype, shape, name),
            data=data,
            is_variable=bool(table.IsVariable()),
        )

    def _constant(self, table: Table, shape: Shape, kind: int, name: str) -> Array | None:
        """Return the contents of a constant in the tensor's type; None for an activation."""
        raw = self._buffer(table.Buffer())
        if raw is None:
            return None
        count = prod(shape)
        dtype = np.dtype("uint8" if kind == _INT4 else _TYPES[kind])
        wanted = (count + 1) // 2 if kind == _INT4 else count * dtype.itemsize
        if len(raw) != wanted:
            raise Malformed(f"constant '{name}' has {len(raw):,} bytes instead of {wanted:,}")
        self._budget -= wanted
        if self._budget < 0:
            raise too_large("the constants together exceed the file many times", "4 x its size")
        array = np.frombuffer(raw, dtype)
        return (_unpack_int4(array)[:count] if kind == _INT4 else array).reshape(shape)

    def _buffer(self, index: int) -> memoryview | None:
        """Return the bytes of buffer *index*, inside the flatbuffer or behind it; None if empty."""
        if index >= self._model.BuffersLength():
            raise Malformed(f"there is no buffer {index:,}")
        buffer = self._model.Buffers(index)
        start, size = buffer.Offset(), buffer.Size()
        if start > 1:
            if start + size > len(self._data):
                raise Malformed(f"buffer {index:,} leaves the file")
            return memoryview(self._data)[start : start + size]
        return None if not buffer.DataLength() else memoryview(buffer.DataAsNumpy())

    def _operator(self, index: int) -> Operator:
        table = self._graph.Operators(index)
        if table.OpcodeIndex() >= self._model.OperatorCodesLength():
            raise Malformed(f"operator {index} has no operator code")
        code = self._model.OperatorCodes(table.OpcodeIndex())
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = _OPERATORS.get(number, f"number {number}")
        outputs = self._listed(table.OutputsAsNumpy(), f"output of operator {index}")
        if not outputs:
            raise Malformed(f"operator {index} has no outputs")
        if number == schema.BuiltinOperator.CUSTOM:
            raise unknown(f"CUSTOM '{_text(code.CustomCode())}'", index, outputs[0].name)
        return Operator(
            index=index,
            name=name,
            inputs=tuple(self._optional(i, index) for i in _indices(table.InputsAsNumpy())),
            outputs=outputs,
            options=_options(table),
        )

    def _optional(self, tensor: int, operator: int) -> Tensor | None:
        if tensor == -1:
            return None
        if not 0 <= tensor < len(self._tensors):
            raise Malformed(f"operator {operator} reads tensor {tensor}, which does not exist")
        return self._tensors[tensor]

    def _listed(self, indices: Table, what: str) -> tuple[Tensor, ...]:
        listed = _indices(indices)
        if len(listed) > len(self._tensors) or any(not 0 <= i < len(self._tensors) for i in listed):
            raise Malformed(f"an {what} is a tensor that does not exist")
        return tuple(self._tensors[index] for index in listed)

    def _public_names(
        self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]
    ) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """Name inputs and outputs as the first signature does that covers them all.

        Without one their tensors' names serve, less TensorFlow's ``:0``.
        """
        signatures = [
            self._model.SignatureDefs(i) for i in range(self._model.SignatureDefsLength())
        ]
        signatures.sort(key=lambda s: _text(s.SignatureKey()) != "serving_default")
        for one in signatures:
            given = [
                {one_of(i).TensorIndex(): _text(one_of(i).Name()) for i in range(count)}
                for one_of, count in (
                    (one.Inputs, one.InputsLength()),
                    (one.Outputs, one.OutputsLength()),
                )
            ]
            if one.SubgraphIndex() == 0 and all(
                _covers(names, tensors)
                for names, tensors in zip(given, (inputs, outputs), strict=True)
            ):
                return _by_name(inputs, given[0]), _by_name(outputs, given[1])
        return _by_name(inputs, {}), _by_name(outputs, {})

    def _manifest(self) -> Mapping[str, str]:
        """Return the provenance that edgec embeds in the files it writes."""
        for index in range(self._model.MetadataLength()):
            entry = self._model.Metadata(index)
            raw = self._buffer(entry.Buffer()) if _text(entry.Name()) == _MANIFEST else None
            if raw is not None:
                try:
                    found = json.loads(bytes(raw))
                except (ValueError, RecursionError):
                    return {}
                return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
        return {}


def _check_order(
    operators: tuple[Operator, ...], inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]
) -> None:
    """Check that every tensor is made once, and before it is read: there are no cycles then."""
    known = set(inputs)
    for operator in operators:
        for tensor in operator.inputs:
            if tensor is None or tensor in known or tensor.data is not None or tensor.is_variable:
                continue
            raise Malformed(f"operator {operator.index} reads '{tensor.name}' before it is made")
        for tensor in operator.outputs:
            if tensor in known or tensor.data is not None:
                raise Malformed(f"tensor '{tensor.name}' is made twice")
            known.add(tensor)
    for tensor in outputs:
        if tensor not in known and tensor.data is None:
            raise Malformed(f"nothing makes the output '{tensor.name}'")


def _options(table: Table) -> Table:
    """Return the options of an operator; None when it has none."""
    kind, union = table.BuiltinOptionsType(), table.BuiltinOptions()
    if union is None or kind not in _OPTIONS:
        return None
    return _OPTIONS[kind].InitFromBuf(union.Bytes, union.Pos)


def _indices(vector: Table) -> list[int]:
    """Return an accessor's vector as a list; an absent one, which it gives as 0, is empty."""
    return [] if isinstance(vector, int) else [int(index) for index in vector]


def _shape(vector: Table, name: str, lowest: int = 0) -> Shape:
    shape = _indices(vector)
    if len(shape) > MAX_RANK or any(extent < lowest for extent in shape):
        raise Malformed(f"tensor '{name}' has shape {shape[: MAX_RANK + 1]}")
    if prod(max(extent, 1) for extent in shape) > MAX_ELEMENTS:
        raise too_large(f"tensor '{name}' has shape {shape}", f"{MAX_ELEMENTS:,} elements")
    return tuple(shape)


def _unique(wanted: str, names: dict[str, int]) -> str:
    """Return *wanted*, numbered when it is among *names*, which counts the uses of each."""
    name = wanted
    while name in names:
        name = f"{wanted}_{names[wanted]}"
        names[wanted] += 1
    names[name] = 1
    return name


def _text(raw: bytes | None) -> str:
    return "" if raw is None else raw.decode("utf-8", "replace").replace("\0", "")


def _covers(names: Mapping[int, str], tensors: tuple[Tensor, ...]) -> bool:
    distinct = len(set(names.values())) == len(names) and all(names.values())
    return distinct and set(names) == {tensor.index for tensor in tensors}


def _by_name(tensors: tuple[Tensor, ...], names: Mapping[int, str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for tensor in tensors:
        name = names.get(tensor.index, tensor.name.removesuffix(":0"))
        if name in found:
            raise Malformed(f"two inputs or outputs are called '{name}'")
        found[name] = tensor
    return found


def _unpack_int4(array: Array) -> Array:
    """Return two signed integers a byte, the low half first."""
    halves = np.stack([array & 0xF, array >> 4], axis=-1).ravel().astype(np.int8)
    return np.where(halves > 7, halves - 16, halves).astype(np.int8)
