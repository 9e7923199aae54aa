"""Inputs and outputs as integers or as floats, whatever the graph computes between them."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    is_convert,
    quant_of,
    reason_of,
    set_precision,
    set_quant,
)
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import bypass, free_name
from compressor.passes.protocol import Changes, PassContext

_OPTION = "--io-type"
_READ_THE_SHAPE = frozenset({"Shape", "Size"})


@dataclass(frozen=True, kw_only=True)
class SetIoType:
    """Let real inputs and outputs be fed and delivered in one type.

    An input becomes integer on the grid that the graph quantizes it to, so nothing is lost; int8
    drops the conversion, uint8 leaves one that only shifts. What holds no real numbers (indices,
    masks) stays as it is.

    Attributes:
        integers: the type of integers; None for float32.
    """

    integers: IntegerType | None = None

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Change the types of the graph's inputs and outputs.

        Raises:
            EdgecError: ``RECIPE_INVALID`` where the graph has no grid for an input or output,
                because it is computed in float there.
        """
        graph = model.graph
        inputs = [v for v in graph.inputs if _is_real(v) and self._differs(v)]
        outputs = [v for v in graph.outputs if _is_real(v) and self._differs(v)]
        for value in inputs:
            self._feed_integers(value) if self.integers else _feed_floats(graph, value)
        for value in outputs:
            self._deliver_integers(graph, value) if self.integers else _deliver(graph, value, None)
        return Changes(counts={"inputs": len(inputs), "outputs": len(outputs)})

    def _differs(self, value: ir.Value) -> bool:
        params = quant_of(value)
        return (None if params is None else params.dtype) is not self.integers

    def _feed_integers(self, value: ir.Value) -> None:
        own = quant_of(value)
        grid = own or _grid_of_readers(value)
        set_quant(value, self._in_type(grid))
        for node in list(value.consumers()):
            if is_convert(node) and quant_of(node.outputs[0]) == quant_of(value):
                bypass(node)
            elif node.op_type in _READ_THE_SHAPE:
                set_precision(node, Precision.INTEGER)

    def _deliver_integers(self, graph: ir.Graph, value: ir.Value) -> None:
        producer = value.producer()
        grid = quant_of(value)
        if grid is None and is_convert(producer) and producer is not None:
            grid = quant_of(producer.inputs[0])
        if grid is None:
            raise _float_edge("output", value, producer)
        _deliver(graph, value, self._in_type(grid))

    def _in_type(self, grid: QuantParams) -> QuantParams:
        if self.integers is None or grid.dtype is self.integers:
            return grid
        return grid.shifted(self.integers)


def _is_real(value: ir.Value) -> bool:
    return value.dtype == ir.DataType.FLOAT


def _grid_of_readers(value: ir.Value) -> QuantParams:
    """Return the grid that every reader of the float input *value* quantizes it to."""
    readers = [node for node in value.consumers() if node.op_type not in _READ_THE_SHAPE]
    grids = {quant_of(node.outputs[0]) if is_convert(node) else None for node in readers}
    found = next(iter(grids)) if len(grids) == 1 else None
    if found is None:
        floats = [node for node in readers if not is_convert(node)]
        raise _float_edge("input", value, floats[0] if floats else None)
    return found


def _feed_floats(graph: ir.Graph, value: ir.Value) -> None:
    """Convert the now real input *value* to the integers that its readers expect."""
    uses = [(use.node, use.idx) for use in value.uses()]
    converted = _converted(value, quant_of(value), free_name(graph, f"{value.name}_integer"))
    set_quant(value, None)
    for node, index in uses:
        node.replace_input_with(index, converted)
    if (convert := converted.producer()) is not None:
        graph.insert_before(graph[0], convert)


def _deliver(graph: ir.Graph, value: ir.Value, params: QuantParams | None) -> None:
    """Let the output *value* leave as *params* under its name; other readers notice nothing."""
    producer = value.producer()
    source = value
    if is_convert(producer) and producer is not None and producer.inputs[0] is not None:
        source = producer.inputs[0]
    name, index = value.name or "", list(graph.outputs).index(value)
    reusable = not (source.is_graph_input() or source.is_graph_output() or source.is_initializer())
    value.name = free_name(graph, f"{name}_computed")
    if quant_of(source) == params and reusable and source is not value:
        result = source
        result.name = name
    else:
        result = _converted(source, params, name)
        node = result.producer()
        if node is not None:
            graph.append(node)
    graph.outputs[index] = result
    if producer is not None and is_convert(producer) and not value.uses():
        graph.remove(producer, safe=True)


def _converted(source: ir.Value, params: QuantParams | None, name: str) -> ir.Value:
    """Return *source* as *params* behind a Convert that is in no graph yet."""
    node = ir.node(CONVERT, [source], domain=EDGEC_DOMAIN, name=f"convert_{name}")
    result = node.outputs[0]
    result.name, result.shape, result.type = name, source.shape, source.type
    set_quant(result, params)
    return result


def _float_edge(kind: str, value: ir.Value, node: ir.Node | None) -> EdgecError:
    """Return the refusal: *value* is computed in float by *node*."""
    reason = "" if node is None else reason_of(node)
    at = "" if node is None else f" at node '{node.name}' ({node.op_type})"
    return EdgecError(
        Code.RECIPE_INVALID,
        f"the {kind} '{value.name}' cannot be an integer: it is float{at}"
        + (f", because {reason}" if reason else ""),
        where=_OPTION,
        expected="a model whose inputs and outputs are quantized (--quantize int8)",
        hint="leave --io-type out, or cut the float part off the model",
    )
