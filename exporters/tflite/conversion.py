"""Placing changes of representation: data is moved as integers, and nothing is converted in vain.

A Reshape, Transpose or Slice does the same to int8 as to float32 with a quarter of the bytes, and
once conversions are out of the way chains of movements meet and simplify.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.dialect import DIALECT, required_input, shape_of
from exporters.tflite.editor import Editor

_CONVERT = frozenset({"Convert"})
_MOVEMENTS = frozenset({"Reshape", "Transpose", "Slice", "Select"})


def place_conversions(graph: ir.Graph) -> None:
    """Move the Converts of *graph* so that movements are done on integers; merge pairs of them."""
    pending = [node for node in graph if _is(node, _CONVERT)]
    while pending:
        node = pending.pop()
        for rule in (_merge, _quantize_earlier, _convert_later):
            if node.graph is not None:
                pending.extend(rule(node))


def _is(node: ir.Node | None, kinds: frozenset[str]) -> bool:
    return node is not None and node.domain == DIALECT and node.op_type in kinds


def _merge(node: ir.Node) -> list[ir.Node]:
    """Read around a conversion to float that *node* undoes or continues."""
    first = required_input(node, 0).producer()
    if first is None or not _is(first, _CONVERT):
        return []
    origin = required_input(first, 0)
    if quant_of(first.outputs[0]) is not None or quant_of(origin) is None:
        return []
    if quant_of(origin) == quant_of(node.outputs[0]):
        Editor(node).replace(origin)
        return []
    node.replace_input_with(0, origin)
    return [node]


def _quantize_earlier(node: ir.Node) -> list[ir.Node]:
    """Swap a movement of floats with the conversion to integers that alone reads it.

    Not a Slice of something larger: it would convert what is then dropped.
    """
    source, params = required_input(node, 0), quant_of(node.outputs[0])
    movement = source.producer()
    if movement is None or not _is(movement, _MOVEMENTS) or params is None:
        return []
    if quant_of(source) is not None or len(source.uses()) != 1 or source.is_graph_output():
        return []
    origin = required_input(movement, 0)
    if np.prod(shape_of(origin)) > np.prod(shape_of(source)):
        return []
    editor = Editor(node)
    converted = editor.op("Convert", [origin], shape_of(origin), quant=params)
    editor.replace(_again(editor, movement, converted, params))
    return _converts(converted)


def _convert_later(node: ir.Node) -> list[ir.Node]:
    """Swap a conversion of integers with the movements that alone read it, if they move no more."""
    source, out = required_input(node, 0), node.outputs[0]
    params, readers = quant_of(source), list(out.consumers())
    if params is None or out.is_graph_output() or not readers:
        return []
    moved_bytes = sum(int(np.prod(shape_of(reader.outputs[0]))) for reader in readers)
    if not all(_is(r, _MOVEMENTS) for r in readers) or moved_bytes > np.prod(shape_of(out)):
        return []
    later: list[ir.Node] = []
    for reader in readers:
        editor = Editor(reader)
        moved = _again(editor, reader, source, params)
        converted = editor.op("Convert", [moved], shape_of(moved), quant=quant_of(out))
        editor.replace(converted)
        later += _converts(converted)
    return later


def _again(editor: Editor, movement: ir.Node, source: ir.Value, params: QuantParams) -> ir.Value:
    """Insert what *movement* does, on *source* with the representation *params*."""
    shape, attributes = shape_of(movement.outputs[0]), dict(movement.attributes)
    inputs = [source, *movement.inputs[1:]]
    return editor.op(movement.op_type, inputs, shape, attributes, quant=params)


def _converts(value: ir.Value) -> list[ir.Node]:
    """Return the conversions to look at again once *value* is made by one."""
    nodes = [value.producer(), *value.consumers()]
    return [node for node in nodes if node is not None and _is(node, _CONVERT)]
