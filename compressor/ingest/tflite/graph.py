"""The ONNX graph in the making: one value for each tensor, and the interface of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from compressor.ingest.tflite.contents import Array, Contents, Shape, Tensor
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.quantization import real_values, signed
from compressor.ingest.tflite.refusal import too_large
from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    set_precision,
    set_quant,
)
from compressor.ir.quant import QuantParams
from compressor.ir.rewrite import constant_of

BATCH = "batch"
# int8 weights become float32, and once more when they are transposed: nine times the file.
GROWTH, FREE_BYTES = 16, 1 << 26
_TENSOR = "edgec.tflite.tensor"
_WANTED = "edgec.tflite.name"


class Graph:
    """Nodes and values, collected in execution order."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._nodes: list[ir.Node] = []
        self._constants: list[ir.Value] = []
        self._bytes = 0
        self._values: dict[Tensor, ir.Value] = {}
        self._bound: set[ir.Value] = set()
        self._transposed: dict[tuple[ir.Value, Shape], ir.Value] = {}
        self._names: dict[str, int] = {}
        self.is_batch_open = _is_batch_open(contents)
        for name in (*contents.inputs, *contents.outputs):
            self._names.setdefault(name, 1)
        self._public = _public_results(contents)
        self._inputs = [self._input(name, t) for name, t in contents.inputs.items()]

    def value(self, tensor: Tensor) -> ir.Value:
        """Return the value of *tensor*: computed, fed or constant."""
        if tensor not in self._values:
            if tensor.data is None:
                raise Malformed(f"tensor '{tensor.name}' is read before it is made")
            self._values[tensor] = self._constant_tensor(tensor, tensor.data)
        return self._values[tensor]

    def bind(self, tensor: Tensor, value: ir.Value) -> None:
        """Let *value* stand for *tensor*, under its name unless it stands for another already."""
        fresh = value.producer() is not None and value not in self._bound
        if tensor in self._public and fresh:
            value.name = self._public[tensor]
        elif fresh:
            value.name = self._free(tensor.name)
        producer = value.producer()
        if fresh and producer is not None:
            producer.name = value.name
        mark_tensor(value)
        self._values[tensor] = value
        self._bound.add(value)

    def constant(self, name: str, array: Array, params: QuantParams | None) -> ir.Value:
        """Add a constant called *name*, or like it.

        Raises:
            EdgecError: ``MODEL_TOO_LARGE`` when operators that share a constant need too many
                forms of it.
        """
        self._bytes += array.nbytes
        limit = GROWTH * self._contents.size + FREE_BYTES
        if self._bytes > limit:
            raise too_large(f"its constants take {self._bytes:,} bytes", f"{limit:,}")
        tensor = ir.Tensor(array, name=self._free(name))
        value = ir.Value(
            name=tensor.name,
            shape=ir.Shape(array.shape),
            type=ir.TensorType(tensor.dtype),
            const_value=tensor,
        )
        set_quant(value, params)
        self._constants.append(value)
        return value

    def derived(self, value: ir.Value, array: Array, params: QuantParams | None = None) -> ir.Value:
        """Add a constant made from the constant *value*; it takes the name if that falls free."""
        made = self.constant(value.name or "", array, params)
        made.meta[_WANTED] = value.meta.get(_WANTED, value.name)
        return made

    def transposed(self, value: ir.Value, perm: Shape, params: QuantParams | None) -> ir.Value:
        """Return the constant *value* transposed by *perm*: one for all operators that share it."""
        key = (value, tuple(perm))
        array = constant_of(value)
        if key not in self._transposed and array is not None:
            turned = np.ascontiguousarray(array.transpose(perm))
            self._transposed[key] = self.derived(value, turned, params)
        return self._transposed[key]

    def add(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shapes: Sequence[Shape],
        attributes: Mapping[str, Any] | None,
        *,
        dtype: ir.DataType,
        name: str,
        domain: str = "",
    ) -> Sequence[ir.Value]:
        """Add a node called *name*, or like it; its outputs are of *shapes* and *dtype*."""
        outputs = [
            ir.Value(name=self._free(name), shape=ir.Shape(shape), type=ir.TensorType(dtype))
            for shape in shapes
        ]
        given = {key: item for key, item in (attributes or {}).items() if item is not None}
        node = ir.node(op_type, inputs, given, domain=domain, outputs=outputs)
        node.name = outputs[0].name
        self._nodes.append(node)
        return outputs

    def open_shape(self, tensor: Tensor) -> Shape:
        """Return the shape of *tensor*, with -1 for the batch axis when that is open."""
        is_open = self.is_batch_open and tensor.signature[:1] == (-1,)
        return (-1, *tensor.shape[1:]) if is_open else tensor.shape

    def finish(self, opset: int) -> ir.Graph:
        """Return the whole graph."""
        outputs = [self._output(name, t) for name, t in self._contents.outputs.items()]
        used = {value for node in self._nodes for value in node.inputs}
        constants = [value for value in self._constants if value in used]
        _claim_names(constants, used)
        return ir.Graph(
            self._inputs,
            outputs,
            nodes=self._nodes,
            initializers=constants,
            opset_imports={"": opset, EDGEC_DOMAIN: 1},
            name="main",
        )

    def _input(self, name: str, tensor: Tensor) -> ir.Value:
        """Add an input; what is stored as uint8 is read as int8 behind a conversion."""
        value = ir.Value(
            name=name, shape=ir.Shape(tensor.shape), type=ir.TensorType(_real_type(tensor))
        )
        set_quant(value, tensor.params)
        inside = value
        if tensor.params is not None and signed(tensor.params) != tensor.params:
            inside = self._converted(value, f"{name}/int8", signed(tensor.params))
        self._values[tensor] = inside
        self._bound |= {value, inside}
        return value

    def _output(self, name: str, tensor: Tensor) -> ir.Value:
        """Return the value to deliver as *name*, in the representation of the file."""
        value = self.value(tensor)
        if tensor.params is not None and signed(tensor.params) != tensor.params:
            return self._converted(value, name, tensor.params)
        if value.name == name and value.producer() is not None:
            return value
        copy = self.add(
            "Identity", [value], [tensor.shape], {}, dtype=_real_type(tensor), name="copy"
        )[0]
        set_quant(copy, tensor.params)
        producer = copy.producer()
        if tensor.params is not None and producer is not None:
            set_precision(producer, Precision.INTEGER)
        copy.name = name
        return copy

    def _converted(self, value: ir.Value, name: str, params: QuantParams) -> ir.Value:
        shape = tuple(int(n) for n in value.shape or ())  # type: ignore[arg-type]
        kind = ir.DataType.FLOAT
        results = self.add(
            CONVERT, [value], [shape], {}, dtype=kind, domain=EDGEC_DOMAIN, name="convert"
        )
        result = results[0]
        set_quant(result, params)
        result.name = name
        return result

    def _constant_tensor(self, tensor: Tensor, data: Array) -> ir.Value:
        if tensor.params is None:
            return self.constant(tensor.name, data, None)
        params = signed(tensor.params)
        if params != tensor.params:
            data = (data.astype(np.int16) - 128).astype(np.int8)
        return self.constant(tensor.name, real_values(data, params, tensor.name), params)

    def _free(self, wanted: str) -> str:
        """Return *wanted*, numbered when it is taken."""
        name = wanted
        while name in self._names:
            name = f"{wanted}_{self._names[wanted]}"
            self._names[wanted] += 1
        self._names[name] = 1
        return name


def _claim_names(constants: list[ir.Value], used: set[ir.Value | None]) -> None:
    """Give constants the names of those that they were made from, where nothing else has them."""
    taken = {value.name for value in used if value is not None}
    for value in constants:
        wanted = value.meta.get(_WANTED)
        if wanted is not None and wanted not in taken:
            value.name = wanted
            taken.add(wanted)


def mark_tensor(value: ir.Value) -> None:
    """Remember that *value* carries the name of a tensor of the file."""
    value.meta[_TENSOR] = True


def stands_for_tensor(value: ir.Value) -> bool:
    """Whether *value* carries the name of a tensor of the file."""
    return _TENSOR in value.meta or value.is_graph_input() or value.is_graph_output()


def _real_type(tensor: Tensor) -> ir.DataType:
    """Integers with a scale are real numbers in the graph."""
    plain = tensor.params is None
    return ir.DataType.from_numpy(tensor.dtype) if plain else ir.DataType.FLOAT


def _is_batch_open(contents: Contents) -> bool:
    """Whether the first axis, and no other, of every input and output is open."""
    tensors = (*contents.inputs.values(), *contents.outputs.values())
    return all(
        t.signature[:1] == (-1,) and t.signature[1:] == t.shape[1:] and t.shape[0] == 1
        for t in tensors
    )


def _public_results(contents: Contents) -> dict[Tensor, str]:
    """Return the names of the tensors that are delivered as they are computed, once each."""
    found: dict[Tensor, str] = {}
    for name, tensor in contents.outputs.items():
        is_shifted = tensor.params is not None and signed(tensor.params) != tensor.params
        if tensor not in found and not is_shifted and tensor not in contents.inputs.values():
            found[tensor] = name
    return found
