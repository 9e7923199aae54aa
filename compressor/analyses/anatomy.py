"""What a graph is made of: its interface, its nodes with shapes and costs, its quantization."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import onnx_ir as ir

from compressor.analyses.cost import Cost, cost_of, macs_of, stored_bytes, weights_of
from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.ir.interface import Interface, interface_of

_QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """One node: where it stands, what it makes, and what it costs at batch 1 and to store."""

    name: str
    op_type: str
    output: str
    macs: int
    parameters: int
    weight_bytes: int
    precision: str


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """A whole graph.

    Attributes:
        interface: inputs and outputs.
        cost: totals.
        nodes: one entry a node, in order of execution.
        quantized_weights: share of the parameters stored as integers, 0 to 1.
    """

    interface: Interface
    cost: Cost
    nodes: tuple[NodeFacts, ...]
    quantized_weights: float

    def operators(self) -> list[tuple[str, int, int, int]]:
        """Return (operator, nodes, MACs, parameters), the costliest first."""
        count, macs, parameters = Counter[str](), Counter[str](), Counter[str]()
        for node in self.nodes:
            count[node.op_type] += 1
            macs[node.op_type] += node.macs
            parameters[node.op_type] += node.parameters
        rows = [(op, count[op], macs[op], parameters[op]) for op in count]
        return sorted(rows, key=lambda row: (-row[2], -row[3], -row[1], row[0]))

    def to_json(self) -> dict[str, Any]:
        """Return the anatomy as a JSON-ready mapping."""
        return {
            "interface": self.interface.to_json(),
            "cost": asdict(self.cost),
            "quantized_weights": round(self.quantized_weights, 6),
            "nodes": [asdict(node) for node in self.nodes],
        }


def anatomy_of(model: ir.Model) -> Anatomy:
    """Return the anatomy of *model*."""
    weights = weights_of(model.graph)
    sizes = [v.const_value.size for v in weights if v.const_value is not None]
    integer = sum(n for v, n in zip(weights, sizes, strict=True) if _is_integer(v) or quant_of(v))
    return Anatomy(
        interface=interface_of(model),
        cost=cost_of(model),
        nodes=tuple(_facts(node) for node in model.graph if node.op_type not in _QUANTIZERS),
        quantized_weights=integer / sum(sizes) if sizes else 0.0,
    )


def _facts(node: ir.Node) -> NodeFacts:
    result = node.outputs[0]
    shape = "?" if result.shape is None else "x".join(str(d) for d in result.shape)
    constants = [v for value in node.inputs for v in _constants_behind(value)]
    return NodeFacts(
        name=node.name or "",
        op_type=node.op_type,
        output=shape,
        macs=macs_of(node),
        parameters=sum(v.const_value.size for v in constants if v.const_value is not None),
        weight_bytes=sum(map(stored_bytes, constants)),
        precision=_precision(node),
    )


def _constants_behind(value: ir.Value | None) -> Iterator[ir.Value]:
    """Yield the parameter that *value* is, or that it dequantizes."""
    if value is None:
        return
    producer = value.producer()
    if producer is not None and producer.op_type == "DequantizeLinear":
        yield from _constants_behind(producer.inputs[0])
    elif value.const_value is not None and not _holds_indices(value):
        yield value


def _precision(node: ir.Node) -> str:
    """How the node computes: by annotation, or by the Q/DQ pairs around it."""
    if precision_of(node) is not Precision.FLOAT:
        return precision_of(node).value
    sources = [value.producer() for value in node.inputs if value is not None]
    made = [producer.op_type for producer in sources if producer is not None]
    return "integer" if made and all(op == "DequantizeLinear" for op in made) else "float"


def _holds_indices(value: ir.Value) -> bool:
    """Whether a constant is a shape, an axis or an index rather than a parameter."""
    return value.dtype is not None and _is_integer(value) and value.dtype.bitwidth > 8


def _is_integer(value: ir.Value) -> bool:
    return value.dtype is not None and not value.dtype.is_floating_point()
