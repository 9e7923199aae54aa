"""QuantizeLinear and DequantizeLinear nodes of a quantized file become annotations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    is_convert,
    precision_of,
    quant_of,
    set_precision,
    set_quant,
    stamp_origin,
)
from compressor.ir.op_facts import Role, facts_of, float_constants
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import free_name, remove, replace_value
from compressor.passes.fused.averages import restore_averages
from compressor.passes.fused.movement import dequantize_before_movement
from compressor.passes.fused.parameters import signed_params
from compressor.passes.protocol import Changes, PassContext, Skipped
from compressor.quantizers.affine import bias_params

_INTEGER_CAPABLE = (Role.COMPUTE, Role.ARITHMETIC, Role.CLAMP, Role.MOVEMENT, Role.JOIN)


@dataclass(frozen=True, kw_only=True)
class AnnotateQuantized:
    """Turn Q/DQ nodes into conversions, then let integer-capable nodes compute between them.

    A node becomes integer when everything that it reads is, and everything that reads it wants
    integers of one kind; the conversions around it go. Others stay float between conversions.
    What each value means does not change: no number is rounded that was not, and every number
    that was is rounded to the same integer.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Annotate *model*."""
        graph = model.graph
        if any(precision_of(node) is Precision.INTEGER for node in graph):
            return Changes()  # a TFLite source: its importer has annotated everything
        dequantize_before_movement(graph)
        restore_averages(graph)
        converted, skipped = _convert_nodes(graph)
        integer = sum(_make_integer(node) for node in list(graph) if _is_candidate(node))
        for node in graph:
            _settle_weights(node)
        dropped = _drop_conversions(graph)
        counts = {
            "conversions read": converted,
            "conversions merged": dropped,
            "nodes integer": integer,
        }
        return Changes(counts=counts if converted else {}, skipped=tuple(skipped))


def _convert_nodes(graph: ir.Graph) -> tuple[int, list[Skipped]]:
    """Write each Q node and the DQ nodes behind it as conversions."""
    converted, skipped = 0, []
    for node in [n for n in graph if n.op_type == "QuantizeLinear"]:
        integers, params = node.outputs[0], signed_params(node)
        readers = integers.consumers()
        plain = params is not None and params.axis is None and not integers.is_graph_output()
        if not plain or not all(_undoes(reader, params) for reader in readers):
            skipped.append(Skipped(node=node.name or "", reason="not a pair with one scale"))
            continue
        _become_convert(node, params)
        for reader in readers:
            _become_convert(reader, None)
        converted += 1 + len(readers)
    return converted, skipped


def _undoes(reader: ir.Node, params: QuantParams | None) -> bool:
    return reader.op_type == "DequantizeLinear" and signed_params(reader) == params


def _become_convert(node: ir.Node, params: QuantParams | None) -> None:
    node.op_type, node.domain = CONVERT, EDGEC_DOMAIN
    node.attributes.clear()
    node.resize_inputs(1)
    node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    set_quant(node.outputs[0], params)


def _is_candidate(node: ir.Node) -> bool:
    return not is_convert(node) and facts_of(node).role in _INTEGER_CAPABLE


def _make_integer(node: ir.Node) -> bool:
    """Let *node* compute in integers if that is what the conversions around it say."""
    data = [v for v in node.inputs if v is not None and _is_data(v)]
    sources = {value: _integers_behind(value) for value in data}
    if not data or any(source is None for source in sources.values()):
        return False
    if any(out.dtype != ir.DataType.FLOAT for out in node.outputs):
        return False
    kinds = [quant_of(source) for source in sources.values()]
    params = _output_params(node, kinds)
    if (params is None and not _leaves_as_float(node)) or not _constants_fit(node, kinds[0]):
        return False
    for index, value in enumerate(node.inputs):
        source = sources.get(value) if value is not None else None
        if source is not None:
            wanted = params if facts_of(node).role is Role.JOIN else quant_of(source)
            node.replace_input_with(index, _as(source, wanted, node))
    set_precision(node, Precision.INTEGER)
    if params is not None:
        for out in node.outputs:
            _deliver(out, params)
    return True


def _leaves_as_float(node: ir.Node) -> bool:
    """Whether *node* is a matrix product of integers whose int32 sums become real numbers."""
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    return node.op_type == "Gemm" and (bias is None or quant_of(bias) is not None)


def _is_data(value: ir.Value) -> bool:
    return value.const_value is None and value.dtype == ir.DataType.FLOAT


def _integers_behind(value: ir.Value) -> ir.Value | None:
    """Return the integers that *value* is, or that it was converted from."""
    if quant_of(value) is not None:
        return value
    producer = value.producer()
    source = producer.inputs[0] if producer is not None and is_convert(producer) else None
    return source if quant_of(source) is not None else None


def _output_params(node: ir.Node, kinds: list[QuantParams | None]) -> QuantParams | None:
    """Return the representation of *node*'s results, None when it must compute in float."""
    facts = facts_of(node)
    wanted = {_wanted(out) for out in node.outputs if out.uses() or out.is_graph_output()}
    agreed = wanted.pop() if len(wanted) == 1 else None
    if facts.role is Role.MOVEMENT:  # exact also when its readers are float, but for averages
        exact = agreed is None and node.op_type != "AveragePool"
        return kinds[0] if exact or agreed == kinds[0] else None
    if facts.role is Role.JOIN:
        return agreed or (kinds[0] if len(set(kinds)) == 1 else None)
    if facts.output is not None and agreed != facts.output:
        return None  # integer kernels know no other scale
    return agreed


def _wanted(value: ir.Value) -> QuantParams | None:
    """Return the one representation that everything wants that reads *value*.

    A clamp that alone reads it takes the integers of its own result: rounding and cutting commute.
    """
    if value.is_graph_output():
        return None
    readers = value.consumers()
    if all(is_convert(reader) for reader in readers):
        kinds = {quant_of(reader.outputs[0]) for reader in readers}
        return kinds.pop() if len(kinds) == 1 else None
    if len(readers) == 1 and facts_of(readers[0]).role is Role.CLAMP:
        return _wanted(readers[0].outputs[0]) if readers[0].inputs[0] is value else None
    return None


def _constants_fit(node: ir.Node, activation: QuantParams | None) -> bool:
    """Whether the constants of *node* are integers that its kernel can read; completes a bias."""
    role = facts_of(node).role
    if role is Role.COMPUTE:
        weight = quant_of(node.inputs[1])
        bias = node.inputs[2] if len(node.inputs) > 2 else None
        if weight is None or activation is None or weight.axis not in (None, _weight_axis(node)):
            return False
        if bias is None:
            return True
        params = _bias_params(activation, weight)
        if bias.const_value is None or (
            params.axis is not None and (bias.const_value.numpy().shape != (len(params.scale),))
        ):
            return False
        set_quant(bias, params)
        return True
    constants = float_constants(node)
    if role is Role.JOIN:
        return not constants
    if role is Role.ARITHMETIC:
        return all((p := quant_of(v)) is not None and p.axis is None for v in constants)
    return True


def _bias_params(activation: QuantParams, weight: QuantParams) -> QuantParams:
    if weight.axis is not None:
        return bias_params(activation, weight)
    scale = np.float32(activation.scale[0]) * np.float32(weight.scale[0])
    return QuantParams.per_tensor(IntegerType.INT32, float(scale), 0)


def _weight_axis(node: ir.Node) -> int | None:
    return facts_of(node).weight_axis


def _as(source: ir.Value, params: QuantParams | None, reader: ir.Node) -> ir.Value:
    """Return *source* in the representation *params*, converted in front of *reader* if need be."""
    if quant_of(source) == params or reader.graph is None:
        return source
    node = ir.node(CONVERT, [source], domain=EDGEC_DOMAIN)
    result = node.outputs[0]
    result.name = free_name(reader.graph, f"{source.name}_requantized")
    node.name = f"convert_{result.name}"
    result.shape, result.type = source.shape, source.type
    set_quant(result, params)
    stamp_origin(node, reader)
    reader.graph.insert_before(reader, node)
    return result


def _deliver(value: ir.Value, params: QuantParams) -> None:
    """Make *value* integers of *params*; what reads another representation reads a conversion."""
    producer = value.producer()
    if producer is None or producer.graph is None:
        raise ValueError("only results of nodes are delivered")
    set_quant(value, params)
    floats = [u for u in value.uses() if not is_convert(u.node) and not _takes_integers(u.node)]
    for use in [u for u in value.uses() if is_convert(u.node)]:
        result = use.node.outputs[0]
        if quant_of(result) == params:
            result.replace_all_uses_with(value, replace_graph_outputs=True)
    if not floats and not value.is_graph_output():
        return
    node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN)
    result = node.outputs[0]
    result.name = free_name(producer.graph, f"{value.name}_float")
    node.name = f"convert_{result.name}"
    result.shape, result.type = value.shape, value.type
    stamp_origin(node, producer)
    producer.graph.insert_after(producer, node)
    if value.is_graph_output():
        name = value.name
        for index, output in enumerate(producer.graph.outputs):
            if output is value:
                producer.graph.outputs[index] = result
        value.name, result.name = free_name(producer.graph, f"{name}_integers"), name
    for use in floats:
        use.node.replace_input_with(use.idx, result)


def _takes_integers(node: ir.Node) -> bool:
    """Whether *node*, which reads a value that is becoming integer, will be integer as well."""
    return facts_of(node).role is Role.CLAMP


def _settle_weights(node: ir.Node) -> None:
    """Mark float nodes with integer weights; elsewhere a constant is float again."""
    if is_convert(node) or node.meta.get("edgec.precision") not in (None, Precision.FLOAT):
        return
    constants = [v for v in float_constants(node) if quant_of(v) is not None]
    role = facts_of(node).role
    if not constants:
        return
    if role in (Role.COMPUTE, Role.LOOKUP, Role.RECURRENT):
        set_precision(node, Precision.WEIGHT_ONLY, "its activations are float in the source")
        return
    for value in constants:
        set_quant(value, None)


def _drop_conversions(graph: ir.Graph) -> int:
    """Remove conversions to what is there already, and those that nothing reads."""
    dropped = 0
    for node in [n for n in graph if is_convert(n)]:
        source, result = node.inputs[0], node.outputs[0]
        inner = None if source is None else _integers_behind(source)
        if inner is not None and quant_of(result) is not None and source is not inner:
            node.replace_input_with(0, inner)
            source = inner
        if source is not None and quant_of(source) == quant_of(result):
            replace_value(result, source)
    for node in [n for n in reversed(graph) if is_convert(n)]:
        if not node.outputs[0].uses() and not node.outputs[0].is_graph_output():
            remove(node)
            dropped += 1
    return dropped
