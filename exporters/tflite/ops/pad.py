"""PAD with zeros, PADV2 with another constant, MIRROR_PAD."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
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
from exporters.tflite.ops.slice import pick, take
from exporters.tflite.types import FLOATS, NUMBERS, type_of

_MIRRORED = {"reflect": schema.MirrorPadMode.REFLECT}


def _legalize(node: ir.Node) -> None:
    """Spell out the amounts for every axis; negative ones crop, which is a Slice."""
    source, out = required_input(node, 0), node.outputs[0]
    rank = rank_of(source)
    before, after = _amounts(node, rank)
    mode = node.attributes.get_string("mode", "constant") or "constant"
    editor = Editor(node)
    if mode != "constant" and not _is_mirror(mode, shape_of(source), before, after):
        editor.replace(_repeated(editor, source, before, after, _EXTENSIONS[mode]))
        return
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


def _is_mirror(mode: str, shape: Shape, before: list[int], after: list[int]) -> bool:
    """Whether TFLite's MIRROR_PAD does it: it reflects once, on up to five axes."""
    amounts = zip(shape, before, after, strict=True)
    return (
        mode == "reflect"
        and len(shape) <= 5
        and all(0 <= b < extent and 0 <= a < extent for extent, b, a in amounts)
    )


def _reflect(places: Array, extent: int) -> Array:
    period = max(2 * (extent - 1), 1)
    folded = places % period
    return np.asarray(np.minimum(folded, period - folded))


_EXTENSIONS: dict[str, Callable[[Array, int], Array]] = {
    "edge": lambda places, extent: np.clip(places, 0, extent - 1),
    "wrap": lambda places, extent: places % extent,
    "reflect": _reflect,
}


def _repeated(
    editor: Editor,
    source: ir.Value,
    before: list[int],
    after: list[int],
    extend: Callable[[Array, int], Array],
) -> ir.Value:
    """Return *source* with the elements picked along each axis that *extend* says lie around it."""
    for axis, (front, back) in enumerate(zip(before, after, strict=True)):
        extent = shape_of(source)[axis]
        if front or back:
            inside = np.arange(max(-front, 0), extent - max(-back, 0))
            places = np.arange(-max(front, 0), len(inside) + max(back, 0))
            source = pick(editor, source, axis, inside[extend(places, len(inside))])
    return source


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
    inputs.append(builder.scalar(_finite(fill, node.outputs[0]), node))
    builder.emit(Op.PADV2, node, inputs, schema.PadV2OptionsT())


def _finite(fill: float, value: ir.Value) -> float:
    """Return *fill* within what *value* can hold: infinity means its lowest or highest."""
    params = quant_of(value)
    if type_of(value) not in FLOATS:
        return fill
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
        emit=_emit,
        check=_check,
        integer=IntegerForm.SHARED,
        types=NUMBERS,
        role=Role.ANY,
        reorder=_reorder,
    ),
    "MirrorPad": Lowering(
        emit=_emit_mirror,
        integer=IntegerForm.SHARED,
        types=NUMBERS,
        role=Role.ANY,
        reorder=_reorder,
    ),
}
