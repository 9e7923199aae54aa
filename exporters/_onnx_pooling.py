"""Averages of integers that fall between two integers, rounded as TensorFlow Lite rounds them.

Its kernel averages the stored integers and rounds halves away from the integer zero; QuantizeLinear
rounds them to the even integer. Halves are common (one result in 64 over a window of 8 by 8), and a
bias of all of them in one direction reaches the answer. Read as if the integer zero meant zero, and
written with a scale that is smaller by less than any other result can notice, halves leave zero.
"""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.ir.rewrite import add_constant, constant_of, free_name

# A half of at most 2**15 steps moves by more than float32 rounds it, and no average over fewer than
# 2**12 elements lies so close to a half without being one.
_AWAY = 1 - 2.0**-20
_LARGEST_WINDOW = 1 << 12
_STORED_ZERO = {np.dtype(np.uint8): 128, np.dtype(np.int8): 0}


def averages_of_integers(graph: ir.Graph) -> list[ir.Node]:
    """Return the nodes of the annotated *graph* that ``round_halves_away`` is about."""
    return [node for node in graph if node.op_type == "AveragePool" and _averages_integers(node)]


def _averages_integers(node: ir.Node) -> bool:
    """Whether *node* averages 8-bit integers, and none but those of its input."""
    params, attributes = quant_of(node.outputs[0]), node.attributes
    pads_count = attributes.get_int("count_include_pad", 0) and any(attributes.get_ints("pads", []))
    small = prod(attributes.get_ints("kernel_shape", [])) < _LARGEST_WINDOW
    return (
        precision_of(node) is Precision.INTEGER
        and params is not None
        and params.dtype.numpy in _STORED_ZERO
        and small
        and not pads_count
    )


def round_halves_away(graph: ir.Graph, nodes: list[ir.Node]) -> None:
    """Let each of *nodes*, which now stands between Q and DQ nodes, round as TensorFlow Lite."""
    for node in nodes:
        source = node.inputs[0]
        restored = None if source is None else source.producer()
        readers = node.outputs[0].consumers()
        if restored is None or restored.op_type != "DequantizeLinear":
            continue
        if all(reader.op_type == "QuantizeLinear" for reader in readers):
            _read_around_stored_zero(graph, node, restored)
            for reader in readers:
                _write_around_stored_zero(graph, reader)


def _read_around_stored_zero(graph: ir.Graph, node: ir.Node, restored: ir.Node) -> None:
    """Let *node* read what *restored* reads as real numbers around the integer zero."""
    name, result = node.outputs[0].name, restored.outputs[0]
    again = ir.node(
        "DequantizeLinear",
        [*restored.inputs[:2], _stored_zero(graph, restored)],
        name=f"{node.name}_stored",
    )
    real = again.outputs[0]
    real.name = free_name(graph, f"{name}_stored")
    real.shape, real.type = result.shape, result.type
    graph.insert_before(node, again)
    node.replace_input_with(0, real)


def _write_around_stored_zero(graph: ir.Graph, reader: ir.Node) -> None:
    scale = constant_of(reader.inputs[1])
    away = np.asarray(scale, np.float32) * np.float32(_AWAY)
    zero = _stored_zero(graph, reader)
    reader.replace_input_with(1, add_constant(graph, f"{reader.name}_away", away))
    reader.replace_input_with(2, zero)


def _stored_zero(graph: ir.Graph, node: ir.Node) -> ir.Value:
    """Return the integer zero in the type that the Q or DQ *node* has."""
    point = np.asarray(constant_of(node.inputs[2]))
    stored = np.asarray(_STORED_ZERO[point.dtype], point.dtype)
    return add_constant(graph, f"{node.name}_zero", stored)
