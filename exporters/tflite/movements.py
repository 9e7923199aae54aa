"""Movements between products, put into the form that BATCH_MATMUL can take over.

Exporters of attention merge axes to transpose the keys, split them again and scale the result; a
chain of Reshapes and Transposes that comes down to one Transpose becomes that, and the scaling by
one number goes in front of it, so that product and Transpose meet.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of, set_quant
from exporters.tflite.dialect import Array, Shape, constant_of, ints, required_input, shape_of
from exporters.tflite.editor import Editor

_RESHAPES = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten"})
_HIGHEST_RANK = 5
_LARGEST = 1 << 22


def straighten_movements(graph: ir.Graph) -> None:
    """Rewrite the chains of *graph* that are one Transpose, and the scalings behind Transposes."""
    for node in graph:
        if node.op_type in _RESHAPES and node.domain == "":
            _merge(node)
        elif node.op_type in ("Mul", "Div") and node.domain == "":
            _scale_first(node)


def _merge(last: ir.Node) -> None:
    """Replace the chain that ends in the Reshape *last* by one Transpose, if it is no more."""
    chain = _chain(last)
    kinds = [node.op_type for node in chain]
    if kinds.count("Transpose") != 1 or len(chain) < 3:
        return
    source, out = required_input(chain[0], 0), last.outputs[0]
    perm = _permutation(chain, shape_of(source), shape_of(out))
    if perm is None or any(quant_of(node.outputs[0]) != quant_of(source) for node in chain):
        return
    editor = Editor(last)
    moved = editor.onnx("Transpose", [source], shape_of(out), {"perm": list(perm)})
    set_quant(moved, quant_of(source))
    editor.replace(moved)


def _chain(last: ir.Node) -> list[ir.Node]:
    """Return the movements before *last* that nothing else reads, and *last*."""
    chain = [last]
    while (value := required_input(chain[0], 0)).producer() is not None:
        node = value.producer()
        is_alone = len(value.uses()) == 1 and not value.is_graph_output()
        if node is None or not is_alone or node.op_type not in _RESHAPES | {"Transpose"}:
            break
        chain.insert(0, node)
        if node.op_type in _RESHAPES and any(n.op_type == "Transpose" for n in chain):
            break
    return chain


def _permutation(chain: list[ir.Node], before: Shape, after: Shape) -> Shape | None:
    if len(before) != len(after) or len(before) > _HIGHEST_RANK:
        return None
    if sorted(before) != sorted(after) or not 0 < int(np.prod(before)) <= _LARGEST:
        return None
    labels = np.arange(int(np.prod(before)), dtype=np.int32).reshape(before)
    moved = labels
    for node in chain:
        moved = _moved(node, moved)
    for perm in permutations(range(len(before))):
        fits = tuple(before[axis] for axis in perm) == after
        if fits and np.array_equal(labels.transpose(perm), moved):
            return perm
    return None


def _moved(node: ir.Node, array: Array) -> Array:
    if node.op_type == "Transpose":
        return array.transpose(ints(node, "perm") or tuple(reversed(range(array.ndim))))
    return array.reshape(shape_of(node.outputs[0]))


def _scale_first(node: ir.Node) -> None:
    """Scale by one number before a Transpose instead of behind it, in front of a product."""
    value, scale = required_input(node, 0), required_input(node, 1)
    if node.op_type == "Mul" and _is_number(value):
        value, scale = scale, value
    movement, readers = value.producer(), node.outputs[0].consumers()
    if movement is None or movement.op_type != "Transpose" or not _is_number(scale):
        return
    if len(value.uses()) != 1 or value.is_graph_output():
        return
    if [reader.op_type for reader in readers] != ["MatMul"] or quant_of(value) is not None:
        return
    if quant_of(node.outputs[0]) is not None:
        return
    source = required_input(movement, 0)
    editor = Editor(node)
    scaled = editor.onnx(node.op_type, [source, scale], shape_of(source))
    perm = dict(movement.attributes)
    editor.replace(editor.onnx("Transpose", [scaled], shape_of(node.outputs[0]), perm))


def _is_number(value: ir.Value) -> bool:
    array = constant_of(value)
    return array is not None and array.size == 1 and array.ndim <= 1
