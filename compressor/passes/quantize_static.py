"""Static INT8: decide every tensor's parameters and place the conversions between regions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import onnx_ir as ir

from compressor.analyses.integer_regions import IntegerRegions, integer_regions
from compressor.analyses.scale_groups import ScaleGroup, scale_groups
from compressor.calibration.table import CalibrationTable
from compressor.catalog import Catalog
from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    quant_of,
    set_precision,
    set_quant,
    stamp_origin,
)
from compressor.ir.fingerprint import fingerprint
from compressor.ir.op_facts import Role, facts_of, float_constants
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import add_constant, constant_of, free_name, replace_value
from compressor.passes.protocol import Changes, PassContext, Skipped
from compressor.passes.quantize_weights import stored_weights
from compressor.quantizers.affine import (
    bias_params,
    params_of_range,
    smallest_weight_scale,
    weight_params,
)

RANGE_METHODS = Catalog("compressor.quantizers", shared=("affine",))


@dataclass(frozen=True, kw_only=True)
class QuantizeStatic:
    """Annotate the integer regions per the TensorFlow Lite 8-bit specification.

    Attributes:
        range_method: how observed values become a range; a file in ``compressor/quantizers``.
        keep_float: names of nodes that stay float.
    """

    range_method: str = "minmax"
    keep_float: frozenset[str] = field(default_factory=frozenset)

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Annotate *model* from the statistics in *context*.

        Raises:
            EdgecError: ``CALIBRATION_MISMATCH`` when the table is missing or of another graph.
        """
        table = context.table or CalibrationTable(fingerprint="", samples=0, tensors={})
        table.require(fingerprint(model))
        regions = integer_regions(model.graph, self.keep_float)
        params = self._activation_params(scale_groups(model.graph, regions), regions, table)
        converts = _Converter(model.graph, regions, params).run()
        _annotate_nodes(model.graph, regions)
        for node in model.graph:
            _annotate_constants(node, regions)
        counts = {
            "nodes integer": len(regions.integer),
            "of these giving floats": len(regions.float_results),
            "nodes with integer weights": len(regions.weight_only),
            "conversions placed": converts,
        }
        skipped = [Skipped(node=n.name or "", reason=why) for n, why in regions.reasons.items()]
        return Changes(counts=counts, skipped=tuple(skipped))

    def _activation_params(
        self, groups: list[ScaleGroup], regions: IntegerRegions, table: CalibrationTable
    ) -> dict[str, QuantParams]:
        """Return the parameters of every integer activation by value name.

        Where only matrix products between float nodes read an activation, the rare large values
        of a transformer decide its answers: the MSE method, which counts them as few, would clip.
        """
        fed = {value.name for node in regions.float_results for value in node.inputs[:1] if value}
        params: dict[str, QuantParams] = {}
        for group in groups:
            found = group.fixed
            if found is None:
                keeps_all = self.range_method == "mse" and fed.issuperset(group.members)
                method = RANGE_METHODS["minmax" if keeps_all else self.range_method]
                ranges = [method.choose_range(table.of(name)) for name in group.voters]
                low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
                found = params_of_range(low, high, IntegerType.INT8)
            params.update(dict.fromkeys(group.members, found))
        return params


def _annotate_nodes(graph: ir.Graph, regions: IntegerRegions) -> None:
    for node in graph:
        if node in regions.integer:
            set_precision(node, Precision.INTEGER)
        elif node in regions.weight_only:
            set_precision(node, Precision.WEIGHT_ONLY, regions.reasons.get(node, ""))
        elif node in regions.reasons:
            set_precision(node, Precision.FLOAT, regions.reasons[node])


def _annotate_constants(node: ir.Node, regions: IntegerRegions) -> None:
    """Give the constants of an integer or weight-only *node* their parameters."""
    if node in regions.weight_only:
        for value, axis in stored_weights(node):
            set_quant(value, weight_params(np.asarray(constant_of(value)), axis))
    elif node not in regions.integer:
        return
    elif facts_of(node).role is Role.COMPUTE:
        _annotate_compute(node)
    elif facts_of(node).role in (Role.ARITHMETIC, Role.JOIN):
        for value in map(partial(_unshared, node), float_constants(node)):
            array = np.asarray(constant_of(value))
            params = params_of_range(float(array.min()), float(array.max()), IntegerType.INT8)
            own = quant_of(node.outputs[0]) if facts_of(node).role is Role.JOIN else None
            set_quant(value, own or params)


def _unshared(node: ir.Node, value: ir.Value) -> ir.Value:
    """Return the constant *value* as *node* alone reads it: others may need it in float."""
    if len(value.uses()) == 1 or node.graph is None:
        return value
    copy = add_constant(node.graph, f"{value.name}_integer", np.asarray(constant_of(value)))
    for use in value.uses():
        if use.node is node:
            node.replace_input_with(use.idx, copy)
    return copy


def _annotate_compute(node: ir.Node) -> None:
    """Weights per output channel, bias at ``s_in * s_w`` in int32."""
    weight, activation = node.inputs[1], quant_of(node.inputs[0])
    axis = facts_of(node).weight_axis
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if weight is None or activation is None or axis is None:
        raise ValueError(f"integer node '{node.name}' lacks a weight or an integer input")
    bias_array = constant_of(bias)
    smallest = None if bias_array is None else smallest_weight_scale(bias_array, activation)
    params = weight_params(np.asarray(constant_of(weight)), axis, smallest)
    set_quant(weight, params)
    if bias is not None:
        set_quant(bias, bias_params(activation, params))


class _Converter:
    """Places Convert nodes where the representation changes, one per value and representation."""

    def __init__(
        self, graph: ir.Graph, regions: IntegerRegions, params: dict[str, QuantParams]
    ) -> None:
        self._graph = graph
        self._regions = regions
        self._params = params
        self._placed = 0

    def run(self) -> int:
        """Annotate the values of the graph and return how many conversions were placed."""
        nodes = list(self._graph)
        for value in list(self._graph.inputs):
            self._split(value, own=None)
        for node in nodes:
            for value in node.outputs:
                own = self._params[value.name or ""] if self._gives_integers(node) else None
                set_quant(value, own)
                self._split(value, own)
        return self._placed

    def _gives_integers(self, node: ir.Node) -> bool:
        return node in self._regions.integer and node not in self._regions.float_results

    def _split(self, value: ir.Value, own: QuantParams | None) -> None:
        """Route every reader of *value* that wants another representation through a Convert."""
        name = value.name or ""
        wanted: dict[QuantParams | None, list[tuple[ir.Node, int]]] = {}
        for use in list(value.uses()):
            want = self._wanted(use.node, name)
            if want != own and value.dtype == ir.DataType.FLOAT:
                wanted.setdefault(want, []).append((use.node, use.idx))
        if own is not None and value.is_graph_output():
            converted = self._convert_output(value)
            for node, index in wanted.pop(None, []):
                node.replace_input_with(index, converted)
        for params, uses in wanted.items():
            converted = self._convert(value, params)
            for node, index in uses:
                node.replace_input_with(index, converted)

    def _wanted(self, node: ir.Node, name: str) -> QuantParams | None:
        """Return the representation in which *node* reads the value called *name*."""
        if node not in self._regions.integer:
            return None
        if facts_of(node).role in (Role.MOVEMENT, Role.JOIN):
            return self._params[node.outputs[0].name or ""]
        return self._params[name]

    def _convert(self, value: ir.Value, params: QuantParams | None) -> ir.Value:
        suffix = "float" if params is None else "quantized"
        node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN)
        result = node.outputs[0]
        result.name = free_name(self._graph, f"{value.name}_{suffix}")
        self._insert(node, value, params)
        return result

    def _convert_output(self, value: ir.Value) -> ir.Value:
        """Convert an integer graph output back to float under its public name."""
        node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN)
        result = node.outputs[0]
        name = value.name or ""
        inner = free_name(self._graph, f"{name}_quantized")
        uses = [(use.node, use.idx) for use in value.uses() if use.node is not node]
        replace_value(value, result)
        node.replace_input_with(0, value)
        for reader, index in uses:
            reader.replace_input_with(index, value)
        value.name = inner
        self._params[inner] = self._params[name]
        result.name = name
        self._insert(node, value, None)
        return result

    def _insert(self, node: ir.Node, value: ir.Value, params: QuantParams | None) -> None:
        result, producer = node.outputs[0], value.producer()
        result.shape, result.type = value.shape, value.type
        set_quant(result, params)
        node.name = f"convert_{result.name}"
        if producer is None:
            self._graph.insert_before(self._graph[0], node)
        else:
            stamp_origin(node, producer)
            self._graph.insert_after(producer, node)
        self._placed += 1


def calibration_targets(model: ir.Model, keep_float: frozenset[str] = frozenset()) -> list[str]:
    """Return the names of the values that must be observed before ``QuantizeStatic`` runs."""
    groups = scale_groups(model.graph, integer_regions(model.graph, keep_float))
    return [name for g in groups if g.fixed is None for name in g.voters]
