"""ONNX files: annotations become QuantizeLinear/DequantizeLinear pairs that runtimes fuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import is_convert, quant_of, set_quant
from compressor.ir.clamp import clamp_is_redundant
from compressor.ir.lazy import derived
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import (
    Array,
    add_constant,
    add_tensor,
    bypass,
    can_bypass,
    free_name,
    numbered,
)
from exporters._onnx_dynamic import lower_dynamic
from exporters._onnx_file import save as save_model
from exporters._onnx_file import to_bytes
from exporters._onnx_pooling import averages_of_integers, round_halves_away
from exporters._onnx_weights import quantized, store_weights
from exporters.protocol import ExportOptions, Refusal, WeightType

SUFFIX = ".onnx"
PRODUCER = "edgec"
_LARGEST_FP16 = float(np.finfo(np.float16).max)
_FP16_MIN_ELEMENTS = 16


def check(model: ir.Model, options: ExportOptions) -> list[Refusal]:  # noqa: ARG001
    """Return no refusals: the canonical graph is made of ONNX operators."""
    return []


def write(model: ir.Model, options: ExportOptions) -> bytes:
    """Return *model*, which is not large, as a serialized ONNX ModelProto.

    Raises:
        EdgecError: ``FP16_OVERFLOW`` when a weight does not fit into the FP16 range.
    """
    return to_bytes(_lowered(model, options))


def save(model: ir.Model, options: ExportOptions, path: Path) -> tuple[Path, ...]:
    """Write *model*, of any size, to *path*; beyond 2 GiB with its constants in ``PATH.data``.

    Raises:
        EdgecError: as ``write``; nothing is written then.
    """
    return save_model(_lowered(model, options), path)


def _lowered(model: ir.Model, options: ExportOptions) -> ir.Model:
    """Return a copy of *model* in operators of ONNX alone."""
    copy = model.clone()
    graph = copy.graph
    for node in list(graph):
        if clamp_is_redundant(node) and can_bypass(node):
            bypass(node)
    lower_dynamic(graph)
    store_weights(graph, restore_on_load=options.restore_on_load)
    averages = averages_of_integers(graph)
    _Writer(graph, options).run()
    round_halves_away(graph, averages)
    if options.float_weights is WeightType.FLOAT16:
        _store_float16(graph)
    RemoveUnusedNodesPass()(copy)
    copy.producer_name = PRODUCER
    copy.opset_imports.pop("edgec", None)
    copy.metadata_props.update(options.manifest)
    return copy


class _Writer:
    """Turns annotations into Q/DQ nodes; scales and zero points are shared between equal ones."""

    def __init__(self, graph: ir.Graph, options: ExportOptions) -> None:
        self._graph = graph
        self._options = options
        self._parameters: dict[QuantParams, tuple[ir.Value, ir.Value]] = {}
        computed = (value for node in graph for value in node.outputs)
        known = (*graph.inputs, *graph.initializers.values(), *computed)
        self._taken = {value.name for value in known}

    def run(self) -> None:
        """Rewrite constants first, then what nodes compute, conversions, and the interface."""
        inputs = [(value, quant_of(value)) for value in self._graph.inputs]
        outputs = [(value.name or "", quant_of(value)) for value in self._graph.outputs]
        for value in list(self._graph.initializers.values()):
            params = quant_of(value)
            if params is not None:
                self._dequantize_constant(value, params)
        for node in list(self._graph):
            if not is_convert(node):
                for value in node.outputs:
                    params = quant_of(value)
                    if params is not None:
                        self._quantize(value, self._stored(params))
        for node in [n for n in self._graph if is_convert(n)]:
            self._lower_convert(node)
        for value, params in inputs:
            if params is not None:
                self._accept_integers(value, params)
        for index, (name, params) in enumerate(outputs):
            if params is not None:
                self._deliver_integers(index, name, params)

    def _accept_integers(self, value: ir.Value, params: QuantParams) -> None:
        """Let the input *value* be fed as integers; readers see them in the activation type."""
        uses = [(use.node, use.idx) for use in value.uses()]
        value.type = ir.TensorType(ir.DataType.from_numpy(params.dtype.numpy))
        set_quant(value, None)
        restored = self._dequantized(value, params, value.name or "")
        producer, stored = restored.producer(), self._stored(params)
        if stored != params and producer is not None:
            restored = self._pair(restored, stored, self._free(f"{value.name}_in"), after=producer)
        for node, index in uses:
            node.replace_input_with(index, restored)

    def _dequantized(self, value: ir.Value, params: QuantParams, name: str) -> ir.Value:
        """Return the real numbers of the input *value*, behind a node at the start of the graph."""
        node = ir.node("DequantizeLinear", [value, *self._operands(params)], name=f"{name}_dq")
        result = node.outputs[0]
        result.name = self._free(f"{name}_restored")
        result.shape, result.type = value.shape, ir.TensorType(ir.DataType.FLOAT)
        self._graph.insert_before(self._graph[0], node)
        return result

    def _deliver_integers(self, index: int, name: str, params: QuantParams) -> None:
        """Let output *index* leave as integers, called *name*."""
        value = self._graph.outputs[index]
        if value.name == name:
            value.name = self._free(f"{name}_real")
        node = ir.node("QuantizeLinear", [value, *self._operands(params)], name=f"{name}_deliver")
        result = node.outputs[0]
        result.name, result.shape = name, value.shape
        result.type = ir.TensorType(ir.DataType.from_numpy(params.dtype.numpy))
        self._graph.append(node)
        self._graph.outputs[index] = result

    def _lower_convert(self, node: ir.Node) -> None:
        params = quant_of(node.outputs[0])
        source, result = node.inputs[0], node.outputs[0]
        if source is None:
            raise ValueError("a conversion reads something")
        if params is None:
            _rename_through(node, source, result)
        else:
            restored = self._pair(source, self._stored(params), result.name or "", after=node)
            result.replace_all_uses_with(restored, replace_graph_outputs=True)
            self._graph.remove(node, safe=True)

    def _stored(self, params: QuantParams) -> QuantParams:
        """Return *params* in the activation type that the target runs fastest."""
        if params.dtype is IntegerType.INT8 and self._options.activations is IntegerType.UINT8:
            return params.shifted(IntegerType.UINT8)
        return params

    def _quantize(self, value: ir.Value, params: QuantParams) -> None:
        """Put a Q/DQ pair behind *value*; every reader reads the dequantized value."""
        producer, name = value.producer(), value.name or ""
        uses = [(use.node, use.idx) for use in value.uses()]
        if producer is None:
            raise ValueError("only computed values are quantized here")
        value.name = self._free(f"{name}_raw")
        restored = self._pair(value, params, name, after=producer)
        for node, index in uses:
            node.replace_input_with(index, restored)

    def _pair(self, value: ir.Value, params: QuantParams, name: str, *, after: ir.Node) -> ir.Value:
        quantize = ir.node("QuantizeLinear", [value, *self._operands(params)], name=f"{name}_q")
        integers = quantize.outputs[0]
        integers.name, integers.shape = self._free(f"{name}_integers"), value.shape
        integers.type = ir.TensorType(ir.DataType.from_numpy(params.dtype.numpy))
        dequantize = ir.node(
            "DequantizeLinear", [integers, *self._operands(params)], name=f"{name}_dq"
        )
        restored = dequantize.outputs[0]
        restored.name = self._free(f"{name}_restored")
        restored.shape, restored.type = value.shape, value.type
        self._graph.insert_after(after, [quantize, dequantize])
        return restored

    def _dequantize_constant(self, value: ir.Value, params: QuantParams) -> None:
        """Store *value* as integers behind a DequantizeLinear."""
        name = value.name or ""
        uses = [(use.node, use.idx) for use in value.uses()]
        integers = add_tensor(self._graph, f"{name}_integers", quantized(value, params))
        attributes = {} if params.axis is None else {"axis": params.axis}
        node = ir.node(
            "DequantizeLinear", [integers, *self._operands(params)], attributes, name=f"{name}_dq"
        )
        node.outputs[0].name = self._free(f"{name}_restored")
        node.outputs[0].shape, node.outputs[0].type = value.shape, value.type
        self._graph.insert_before(self._graph[0], node)
        for user, index in uses:
            user.replace_input_with(index, node.outputs[0])
        set_quant(value, None)

    def _free(self, wanted: str) -> str:
        """Return a name like *wanted* that no value of the graph has."""
        name = numbered(wanted, self._taken)
        self._taken.add(name)
        return name

    def _operands(self, params: QuantParams) -> tuple[ir.Value, ir.Value]:
        if params not in self._parameters:
            index = len(self._parameters)
            self._parameters[params] = (
                add_constant(self._graph, f"scale_{index}", params.scale_array()),
                add_constant(self._graph, f"zero_point_{index}", params.zero_point_array()),
            )
        return self._parameters[params]


def _rename_through(node: ir.Node, source: ir.Value, result: ir.Value) -> None:
    """Drop a conversion to float: its source is already a dequantized value."""
    graph = node.graph
    if graph is None:
        raise ValueError("the conversion is in no graph")
    name = result.name
    for index, output in enumerate(graph.outputs):
        if output is result:
            graph.outputs[index] = source
            result.name = f"{name}_converted"
            source.name = name
    ir.convenience.replace_all_uses_with(result, source)
    graph.remove(node, safe=True)


def _store_float16(graph: ir.Graph) -> None:
    """Halve the float32 weights: stored as FLOAT16, cast back when the model is loaded."""
    for value in list(graph.initializers.values()):
        weight = value.const_value
        if weight is None or weight.dtype is not ir.DataType.FLOAT:
            continue
        if weight.size < _FP16_MIN_ELEMENTS or _is_quantization_parameter(value):
            continue
        _check_range(value, weight.numpy())
        half = derived(weight, _to_float16, dtype=ir.DataType.FLOAT16, shape=weight.shape.numpy())
        _cast_back(graph, value, half)


def _to_float16(array: Array) -> Array:
    return array.astype(np.float16)


def _check_range(value: ir.Value, array: Array) -> None:
    largest = max(array.max(), -array.min())
    if largest > _LARGEST_FP16:
        raise EdgecError(
            Code.FP16_OVERFLOW,
            f"weight '{value.name}' reaches {largest:g}",
            where=", ".join(f"node '{n.name}' ({n.op_type})" for n in value.consumers()),
            expected=f"at most {_LARGEST_FP16:g}",
            hint="use --quantize int8, or rescale the layer in the source model",
        )


def _cast_back(graph: ir.Graph, value: ir.Value, half: ir.TensorProtocol) -> None:
    """Let what reads *value* read *half* through a Cast."""
    uses = [(use.node, use.idx) for use in value.uses()]
    stored = add_tensor(graph, f"{value.name}_fp16", half)
    cast = ir.node("Cast", [stored], {"to": ir.DataType.FLOAT}, name=f"{value.name}_cast")
    cast.outputs[0].name = free_name(graph, f"{value.name}_float")
    cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
    graph.insert_before(graph[0], cast)
    for user, index in uses:
        user.replace_input_with(index, cast.outputs[0])


def _is_quantization_parameter(value: ir.Value) -> bool:
    return any(
        n.op_type in ("QuantizeLinear", "DequantizeLinear") and use.idx == 1
        for use in value.uses()
        for n in (use.node,)
    )
