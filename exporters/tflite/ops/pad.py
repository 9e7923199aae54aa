"""PAD with zeros, PADV2 with another constant, MIRROR_PAD."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    Unsupported,
    constant_input,
    constant_of,
    ints,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    set_ints,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.slice import take

_MIRRORED = {"reflect": schema.MirrorPadMode.REFLECT}


def _legalize(node: ir.Node) -> None:
    """Spell out the amounts for every axis; negative ones crop, which is a Slice."""
    source, out = required_input(node, 0), node.outputs[0]
    rank = rank_of(source)
    before, after = _amounts(node, rank)
    mode = node.attributes.get_string("mode", "constant")
    if mode not in ("constant", *_MIRRORED):
        raise Unsupported(f"TFLite has no padding of mode '{mode}'")
    editor = Editor(node)
    if min(*before, *after) < 0:
        source = _cropped(editor, source, before, after)
    before, after = ([max(n, 0) for n in amounts] for amounts in (before, after))
    if not any(before) and not any(after):
        editor.replace(source)
        return
    attributes = {"before": before, "after": after}
    if mode == "constant":
        padded = editor.op("Pad", [source], shape_of(out), attributes | {"fill": _fill(node)})
    else:
        padded = editor.op("MirrorPad", [source], shape_of(out), attributes | {"mode": mode})
    editor.replace(padded)


def _amounts(node: ir.Node, rank: int) -> tuple[list[int], list[int]]:
    pads = constant_input(node, 1, "the amount of padding").tolist()
    chosen = optional_input(node, 3)
    axes = range(rank) if chosen is None else constant_input(node, 3, "the padded axes").tolist()
    before, after = [0] * rank, [0] * rank
    for position, axis in enumerate(axes):
        index = normalize_axis(axis, rank)
        before[index], after[index] = pads[position], pads[position + len(axes)]
    return before, after


def _cropped(editor: Editor, source: ir.Value, before: list[int], after: list[int]) -> ir.Value:
    shape = shape_of(source)
    begin = [max(-n, 0) for n in before]
    end = [extent - max(-n, 0) for extent, n in zip(shape, after, strict=True)]
    size = tuple(e - b for b, e in zip(begin, end, strict=True))
    return take(editor, source, begin, size)


def _fill(node: ir.Node) -> float:
    value = optional_input(node, 2)
    if value is None:
        return 0.0
    array = constant_of(value)
    if array is None:
        raise Unsupported("the value to pad with is computed at run time")
    return float(array.item())


def _reorder(node: ir.Node, order: Shape) -> None:
    for name in ("before", "after"):
        amounts = ints(node, name)
        set_ints(node, name, [amounts[axis] for axis in order])


def _check(node: ir.Node) -> str | None:
    rank = rank_of(node.outputs[0])
    return None if rank <= 5 else f"TFLite paddings take up to 5 axes, not {rank}"


def _emit(node: ir.Node, builder: Builder) -> None:
    """Write PAD when it is zero that is padded (for integers PAD writes the zero point)."""
    fill = node.attributes.get_float("fill", 0.0)
    inputs = [builder.operand(node, 0), _paddings(node, builder)]
    if fill == 0.0:
        builder.emit(Op.PAD, node, inputs, schema.PadOptionsT())
        return
    inputs.append(builder.scalar(_finite(fill, quant_of(node.outputs[0])), node))
    builder.emit(Op.PADV2, node, inputs, schema.PadV2OptionsT())


def _finite(fill: float, params: QuantParams | None) -> float:
    """Return *fill* within what the tensor can hold: infinity means its lowest or highest."""
    limits = np.finfo(np.float32)
    low, high = params.range() if params else (float(limits.min), float(limits.max))
    return min(max(fill, low), high)


def _emit_mirror(node: ir.Node, builder: Builder) -> None:
    mode = _MIRRORED[node.attributes["mode"].as_string()]
    inputs = [builder.operand(node, 0), _paddings(node, builder)]
    builder.emit(Op.MIRROR_PAD, node, inputs, schema.MirrorPadOptionsT(mode=mode))


def _paddings(node: ir.Node, builder: Builder) -> int:
    pairs = np.stack([ints(node, "before"), ints(node, "after")], axis=1)
    return builder.constant(pairs.astype(np.int32), f"{node.outputs[0].name}/paddings")


LEGALIZE = {"Pad": _legalize}
LOWER = {
    "Pad": Lowering(
        emit=_emit, check=_check, integer=IntegerForm.SHARED, role=Role.ANY, reorder=_reorder
    ),
    "MirrorPad": Lowering(
        emit=_emit_mirror, integer=IntegerForm.SHARED, role=Role.ANY, reorder=_reorder
    ),
}
