"""Weights that are stored as integers and computed with as floats, in ONNX.

ONNX Runtime runs a DequantizeLinear of a constant at every inference, which can cost more than the
layer itself. A Cast and a Mul mean the same, and are folded when the file is loaded. Of a table of
embeddings only the rows that are looked up become float.
"""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, quant_of, set_quant
from compressor.ir.lazy import derived
from compressor.ir.op_facts import Role, facts_of
from compressor.ir.quant import QuantParams
from compressor.ir.rewrite import add_constant, add_tensor, free_name


def store_weights(graph: ir.Graph, *, restore_on_load: bool) -> None:
    """Write the symmetric integer constants of weight-only nodes in *graph*.

    Others, and those of layers unless *restore_on_load*, are left to DequantizeLinear.
    """
    for value in list(graph.initializers.values()):
        params = quant_of(value)
        if params is None or any(params.zero_point) or not _is_only_stored(value):
            continue
        roles = {facts_of(use.node).role for use in value.uses()}
        if roles == {Role.LOOKUP} and params.axis != 0:
            _look_up(graph, value, params)
        elif restore_on_load and Role.LOOKUP not in roles:
            _restore(graph, value, params)


def quantized(value: ir.Value, params: QuantParams) -> ir.TensorProtocol:
    """Return the integers of the constant *value*."""
    real = value.const_value
    if real is None:
        raise ValueError("only constants are quantized here")
    dtype = ir.DataType.from_numpy(params.dtype.numpy)
    return derived(real, params.quantize, dtype=dtype, shape=real.shape.numpy())


def _is_only_stored(value: ir.Value) -> bool:
    nodes = [use.node for use in value.uses()]
    return bool(nodes) and all(precision_of(n) is Precision.WEIGHT_ONLY for n in nodes)


def _restore(graph: ir.Graph, value: ir.Value, params: QuantParams) -> None:
    """Let what reads *value* read its integers through a Cast and a Mul."""
    uses = [(use.node, use.idx) for use in value.uses()]
    integers = add_tensor(graph, f"{value.name}_integers", quantized(value, params))
    scale = params.scale_array()
    if params.axis is not None and value.shape is not None:
        extents = [1] * len(value.shape)
        extents[params.axis] = -1
        scale = scale.reshape(extents)
    cast = ir.node("Cast", [integers], {"to": ir.DataType.FLOAT}, name=f"{value.name}_cast")
    factor = add_constant(graph, f"{value.name}_scale", scale)
    product = ir.node("Mul", [cast.outputs[0], factor], name=f"{value.name}_rescale")
    for node, role in ((cast, "steps"), (product, "restored")):
        result = node.outputs[0]
        result.name = free_name(graph, f"{value.name}_{role}")
        result.shape, result.type = value.shape, value.type
    graph.insert_before(graph[0], [cast, product])
    set_quant(value, None)
    for node, index in uses:
        node.replace_input_with(index, product.outputs[0])


def _look_up(graph: ir.Graph, table: ir.Value, params: QuantParams) -> None:
    """Let every Gather of *table* pick integers, and a DequantizeLinear behind it restore them."""
    integers = add_tensor(graph, f"{table.name}_integers", quantized(table, params))
    operands = [
        add_constant(graph, f"{table.name}_scale", params.scale_array()),
        add_constant(graph, f"{table.name}_zero_point", params.zero_point_array()),
    ]
    set_quant(table, None)
    for use in list(table.uses()):
        node, result = use.node, use.node.outputs[0]
        node.replace_input_with(use.idx, integers)
        attributes = {} if params.axis is None else {"axis": -1}
        restore = ir.node("DequantizeLinear", [result, *operands], attributes)
        restore.name = f"{result.name}_dq"
        restored = restore.outputs[0]
        restored.name = free_name(graph, f"{result.name}_restored")
        restored.shape, restored.type = result.shape, result.type
        graph.insert_after(node, restore)
        _read_instead(result, restored, restore)
        result.type = ir.TensorType(ir.DataType.from_numpy(params.dtype.numpy))


def _read_instead(old: ir.Value, new: ir.Value, maker: ir.Node) -> None:
    """Let every reader of *old* but *maker* read *new*; an output keeps its name."""
    if old.is_graph_output():
        old.name, new.name = new.name, old.name
    old.replace_all_uses_with(new, replace_graph_outputs=True)
    maker.replace_input_with(0, old)
