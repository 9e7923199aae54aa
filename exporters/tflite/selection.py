"""Chains of Reshape, Transpose and Slice that only pick channels, such as a channel shuffle.

Frameworks without a strided channel slice spell it as a detour through more axes, which no axis
order makes cheap. The chain is executed on element labels; when the result is the source with some
of its channels, in some order, one slice or gather along the channel axis replaces it.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import (
    DIALECT,
    Array,
    constant_input,
    ints,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.slice import pick

_MOVEMENTS = frozenset({"Reshape", "Transpose", "Slice", "Select"})
_CHANNELS = 1


def shorten_selections(graph: ir.Graph) -> None:
    """Replace the chains of *graph* that come down to picking channels."""
    for node in reversed(graph):
        if _is_movement(node) and _is_last(node):
            chain = _chain(node)
            channels = _picked_channels(chain)
            if channels is not None:
                _replace(node, required_input(chain[0], 0), channels)


def _is_movement(node: ir.Node) -> bool:
    return node.domain == DIALECT and node.op_type in _MOVEMENTS


def _is_last(node: ir.Node) -> bool:
    """Whether something other than a movement sees the result of *node*."""
    out = node.outputs[0]
    return out.is_graph_output() or not all(_is_movement(reader) for reader in out.consumers())


def _chain(last: ir.Node) -> list[ir.Node]:
    """Return the movements that lead to *last*, from the first one on."""
    chain = [last]
    while (node := required_input(chain[0], 0).producer()) is not None and _is_movement(node):
        chain.insert(0, node)
    return chain


def _picked_channels(chain: list[ir.Node]) -> Array | None:
    """Return which channels of its source the *chain* picks; None when it does anything else."""
    before, after = shape_of(chain[0].inputs[0]), shape_of(chain[-1].outputs[0])
    kinds = {node.op_type for node in chain}
    if "Transpose" not in kinds or len(before) != len(after) or len(before) < 3:
        return None
    if before[0] != after[0] or before[2:] != after[2:]:
        return None
    labels = np.arange(int(np.prod(before)), dtype=np.int64).reshape(before)
    moved = labels
    for node in chain:
        moved = _moved(node, moved)
    pixels = int(np.prod(before[2:]))
    channels = moved[0].reshape(-1, pixels)[:, 0] // pixels
    picks = bool(np.all(channels < before[_CHANNELS]))
    return channels if picks and np.array_equal(moved, labels[:, channels]) else None


def _moved(node: ir.Node, array: Array) -> Array:
    """Do to *array* what *node* does to its input."""
    if node.op_type == "Transpose":
        return array.transpose(ints(node, "perm"))
    shape = shape_of(node.outputs[0])
    if node.op_type == "Reshape":
        return array.reshape(shape)
    if node.op_type == "Select":
        indices = constant_input(node, 1, "the index")
        return array.take(indices, axis=node.attributes.get_int("axis", 0))
    bounds = zip(ints(node, "begin"), shape, strict=True)
    return array[tuple(slice(begin, begin + size) for begin, size in bounds)]


def _replace(node: ir.Node, source: ir.Value, channels: Array) -> None:
    editor = Editor(node)
    everything = np.array_equal(channels, np.arange(shape_of(source)[_CHANNELS]))
    editor.replace(source if everything else pick(editor, source, _CHANNELS, channels))
