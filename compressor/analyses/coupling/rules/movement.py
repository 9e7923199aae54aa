"""Data movement: what moves elements moves labels, by the same operation on their arrays."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.analyses.coupling.factors import common_factors, resolved
from compressor.analyses.coupling.labels import Ids
from compressor.analyses.coupling.targets import can_edit
from compressor.analyses.coupling.tracer import Axes, Tracer, length_of
from compressor.ir.moves import concat_axis, pad_amounts, slice_indices, transpose_order
from compressor.ir.rewrite import constant_of


def _reshape(node: ir.Node, tracer: Tracer) -> None:
    source, result = node.inputs[0], node.outputs[0]
    if source is None or result.shape is None:
        tracer.freeze(source, f"shapes at '{node.name}' are not known")
        return
    before = tracer.sizes(source)
    after = resolved(before, tracer.sizes(result))
    tracer.explain(result, after)
    factors = common_factors(before, after)
    if factors is None:
        tracer.freeze(source, f"'{node.name}' regroups it in uneven parts")
        return
    parts: list[Ids | None] = [None] * len(factors)
    for axis, ids in enumerate(tracer.axes(source)):
        here = [i for i, factor in enumerate(factors) if factor.source == axis]
        if ids is None or not here:
            continue
        found = tracer.labels.factor(ids, [factors[i].size.number for i in here])
        for i, part in zip(here, found, strict=True):
            parts[i] = part
    axes: Axes = []
    for axis in range(len(after)):
        here = [i for i, factor in enumerate(factors) if factor.target == axis]
        along = [parts[i] for i in here]
        open_ended = any(factors[i].size.symbols for i in here)
        editable = node.op_type != "Reshape" or can_edit(node.inputs[1], axis)
        if open_ended or not editable:
            for part in along:
                if part is not None:
                    tracer.labels.freeze(part, f"'{node.name}' merges it with an open axis")
            along = [None for _ in along]
        axes.append(tracer.labels.merge([factors[i].size.number for i in here], along))
    tracer.put(result, axes)


def _transpose(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    tracer.put(node.outputs[0], [axes[axis] for axis in transpose_order(node, len(axes))])


def _concat(node: ir.Node, tracer: Tracer) -> None:
    values = [value for value in node.inputs if value is not None]
    rank = len(tracer.axes(values[0]))
    along = concat_axis(node, rank)
    reason = f"'{node.name}' joins it with what cannot shrink"
    axes = [
        None if axis == along else tracer.join([(v, axis) for v in values], reason)
        for axis in range(rank)
    ]
    axes[along] = _joined(node, values, along, tracer)
    tracer.put(node.outputs[0], axes)


def _joined(node: ir.Node, values: list[ir.Value], axis: int, tracer: Tracer) -> Ids | None:
    if all(tracer.axes(value)[axis] is None for value in values):
        return None
    lengths = [length_of(value, axis) for value in values]
    if None in lengths:
        for value in values:
            tracer.freeze(value, f"lengths at '{node.name}' are not known", [axis])
        return None
    parts = []
    for value, length in zip(values, lengths, strict=True):
        ids = tracer.produce(value, axis)
        if ids is None:
            ids = tracer.labels.fresh(length or 0)
            tracer.labels.freeze(ids, f"'{value.name}' cannot shrink")
        parts.append(ids)
    return np.concatenate(parts)


def _split(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    along = concat_axis(node, len(axes))
    ids, lengths = axes[along], [length_of(value, along) for value in node.outputs]
    known = [length for length in lengths if length is not None]
    if ids is not None and (len(known) < len(lengths) or sum(known) != len(ids)):
        tracer.labels.freeze(ids, f"lengths at '{node.name}' are not known")
        ids = None
    bounds = np.cumsum([0, *known])
    for i, value in enumerate(node.outputs):
        part = None if ids is None else ids[bounds[i] : bounds[i + 1]]
        tracer.put(value, [part if axis == along else have for axis, have in enumerate(axes)])


def _slice(node: ir.Node, tracer: Tracer) -> None:
    axes = list(tracer.axes(node.inputs[0]))
    for axis, ids in enumerate(axes):
        if ids is None:
            continue
        chosen = slice_indices(node, axis, len(ids), len(axes))
        if chosen is None:
            tracer.labels.freeze(ids, f"'{node.name}' cuts it where only the data says")
        axes[axis] = None if chosen is None else ids[chosen]
    tracer.put(node.outputs[0], axes)


def _pad(node: ir.Node, tracer: Tracer) -> None:
    """Padding makes channels of its own, which may go like any other."""
    axes = list(tracer.axes(node.inputs[0]))
    amounts = pad_amounts(node, len(axes))
    constant = node.attributes.get_string("mode", "constant") == "constant"
    for axis, ids in enumerate(axes):
        if ids is None:
            continue
        before, after = (0, 0) if amounts is None else amounts[axis]
        if amounts is None or min(before, after) < 0 or (not constant and (before or after)):
            tracer.labels.freeze(ids, f"'{node.name}' pads it with its own values")
            axes[axis] = None
        elif before or after:
            fresh = tracer.labels.fresh
            axes[axis] = np.concatenate([fresh(before), ids, fresh(after)])
    tracer.put(node.outputs[0], axes)


def _gather(node: ir.Node, tracer: Tracer) -> None:
    data, indices = node.inputs[0], node.inputs[1]
    if data is None or indices is None:
        return
    rank = len(tracer.axes(data))
    along = concat_axis(node, rank)
    ids, chosen = tracer.axes(data)[along], constant_of(indices)
    middle: Axes = [None] * len(tracer.axes(indices))
    if ids is not None and chosen is not None and chosen.ndim == 1:
        middle = [ids[chosen]]
    elif ids is not None:
        held = ids if chosen is None else ids[chosen.ravel()]
        tracer.labels.freeze(held, f"'{node.name}' picks it out")
    if along != rank - 1:
        tracer.produce(data, rank - 1)  # the features of a table of embeddings
    axes = tracer.axes(data)
    tracer.put(node.outputs[0], [*axes[:along], *middle, *axes[along + 1 :]])


def _expand(node: ir.Node, tracer: Tracer) -> None:
    source, result = node.inputs[0], node.outputs[0]
    have = tracer.axes(source)
    if source is None or result.shape is None:
        tracer.freeze(source, f"shapes at '{node.name}' are not known")
        return
    more = len(result.shape) - len(have)
    axes: Axes = [None] * len(result.shape)
    for axis, ids in enumerate(have):
        if ids is not None and not can_edit(node.inputs[1], axis + more):
            tracer.labels.freeze(ids, f"'{node.name}' computes its length")
        axes[axis + more] = ids
    tracer.put(result, axes)


def _tile(node: ir.Node, tracer: Tracer) -> None:
    repeats, axes = constant_of(node.inputs[1]), list(tracer.axes(node.inputs[0]))
    for axis, ids in enumerate(axes):
        if ids is not None and repeats is None:
            tracer.labels.freeze(ids, f"'{node.name}' repeats it as the data says")
        axes[axis] = None if ids is None or repeats is None else np.tile(ids, int(repeats[axis]))
    tracer.put(node.outputs[0], axes)


def _depth_to_space(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    block, ids = node.attributes.get_int("blocksize", 1), axes[1]
    tracer.freeze(node.inputs[0], f"'{node.name}' moves along it", [2, 3])
    if ids is not None:
        within = block * block
        deep = len(ids) // within
        if node.attributes.get_string("mode", "DCR") == "DCR":
            place, channel = tracer.labels.factor(ids, (within, deep))
        else:
            channel, place = tracer.labels.factor(ids, (deep, within))
        if place is not None:
            tracer.labels.freeze(place, f"'{node.name}' makes space of it")
        ids = channel
    tracer.put(node.outputs[0], [axes[0], ids, None, None])


def _space_to_depth(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    block, ids = node.attributes.get_int("blocksize", 1), axes[1]
    tracer.freeze(node.inputs[0], f"'{node.name}' makes depth of it", [2, 3])
    deep = None if ids is None else np.tile(ids, block * block)
    tracer.put(node.outputs[0], [axes[0], deep, None, None])


def _shape(node: ir.Node, tracer: Tracer) -> None:
    """Lengths that are read stay as they are; a reader that picks some out leaves the others."""
    axes = tracer.axes(node.inputs[0])
    start = node.attributes.get_int("start", 0)
    wanted = range(len(axes))[start : node.attributes.get_int("end", len(axes))]
    picked: set[int] = set()
    for reader in node.outputs[0].consumers():
        index = constant_of(reader.inputs[1]) if reader.op_type == "Gather" else None
        picked |= set(wanted) if index is None else {wanted[int(i)] for i in index.ravel()}
    tracer.freeze(node.inputs[0], f"'{node.name}' reads its length", sorted(picked))


RULES = {
    "Concat": _concat,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Flatten": _reshape,
    "Gather": _gather,
    "Pad": _pad,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _reshape,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _reshape,
}
