"""Operators that look along axes: normalizations, reductions, pooling, softmax, resizing."""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir

from compressor.analyses.coupling.targets import can_edit
from compressor.analyses.coupling.tracer import Tracer, length_of
from compressor.ir.rewrite import attribute_ints, constant_of


def _along(tracer: Tracer, node: ir.Node, axes: Iterable[int], what: str) -> None:
    """Hold the *axes* of the first input, whose statistics a removal would change."""
    tracer.freeze(node.inputs[0], f"'{node.name}' {what}", axes)


def _batch_normalization(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    for value in node.inputs[1:]:
        tracer.give(value, 0, axes[1])
    tracer.put(node.outputs[0], axes)


def _layer_normalization(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    first = node.attributes.get_int("axis", -1) % max(len(axes), 1)
    _along(tracer, node, range(first, len(axes)), "normalizes over it")
    tracer.put(node.outputs[0], axes)


def _instance_normalization(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    _along(tracer, node, range(2, len(axes)), "normalizes over it")
    for value in node.inputs[1:]:
        tracer.give(value, 0, axes[1])
    tracer.put(node.outputs[0], axes)


def _group_normalization(node: ir.Node, tracer: Tracer) -> None:
    """A group goes as a whole: without one of its channels, its mean would be another."""
    axes, groups = tracer.axes(node.inputs[0]), node.attributes.get_int("num_groups", 1)
    _along(tracer, node, range(2, len(axes)), "normalizes over it")
    ids = axes[1]
    if ids is not None:
        _, within = tracer.labels.factor(ids, (groups, len(ids) // groups))
        if within is not None:
            tracer.labels.freeze(within, f"'{node.name}' normalizes over it")
    for value in node.inputs[1:]:
        tracer.give(value, 0, ids)
    tracer.put(node.outputs[0], axes)


def _softmax(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    axis = node.attributes.get_int("axis", -1) % max(len(axes), 1)
    _along(tracer, node, [axis], "normalizes over it")
    tracer.put(node.outputs[0], axes)


def _lrn(node: ir.Node, tracer: Tracer) -> None:
    _along(tracer, node, [1], "normalizes over its neighbours")
    tracer.put(node.outputs[0], tracer.axes(node.inputs[0]))


def _cumulative(node: ir.Node, tracer: Tracer) -> None:
    tracer.freeze(node.inputs[0], f"'{node.name}' sums along it")
    tracer.put(node.outputs[0], tracer.axes(node.inputs[0]))


def _reduce(node: ir.Node, tracer: Tracer) -> None:
    have = tracer.axes(node.inputs[0])
    given = node.inputs[1] if len(node.inputs) > 1 else None
    listed = constant_of(given)
    if given is not None and listed is None:
        tracer.freeze(node.inputs[0], f"'{node.name}' reduces axes that only the data names")
        return
    named = attribute_ints(node, "axes", []) if listed is None else listed.tolist()
    if not named and node.attributes.get_int("noop_with_empty_axes"):
        tracer.put(node.outputs[0], have)
        return
    reduced = {axis % len(have) for axis in named} or set(range(len(have)))
    _along(tracer, node, sorted(reduced), "reduces it")
    if node.attributes.get_int("keepdims", 1):
        axes = [None if axis in reduced else ids for axis, ids in enumerate(have)]
    else:
        axes = [ids for axis, ids in enumerate(have) if axis not in reduced]
    tracer.put(node.outputs[0], axes)


def _arg(node: ir.Node, tracer: Tracer) -> None:
    have = tracer.axes(node.inputs[0])
    axis = node.attributes.get_int("axis", 0) % max(len(have), 1)
    _along(tracer, node, [axis], "compares along it")
    keep = node.attributes.get_int("keepdims", 1)
    axes = [None if i == axis else ids for i, ids in enumerate(have) if keep or i != axis]
    tracer.put(node.outputs[0], axes)


def _pool(node: ir.Node, tracer: Tracer) -> None:
    axes = tracer.axes(node.inputs[0])
    _along(tracer, node, range(2, len(axes)), "moves along it")
    for result in node.outputs:
        tracer.put(result, [*axes[:2], *[None] * (len(axes) - 2)])


def _resize(node: ir.Node, tracer: Tracer) -> None:
    """Axes whose length is kept pass."""
    source, result = node.inputs[0], node.outputs[0]
    sizes = node.inputs[3] if len(node.inputs) > 3 else None
    axes = list(tracer.axes(source))
    roi = node.attributes.get_string("coordinate_transformation_mode") == "tf_crop_and_resize"
    for axis, ids in enumerate(axes):
        if ids is None:
            continue
        kept = length_of(result, axis) == len(ids) and not roi
        if not kept or not (sizes is None or can_edit(sizes, axis)):
            _along(tracer, node, [axis], "resizes it")
            axes[axis] = None
    tracer.put(result, axes)


_REDUCTIONS = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"
_POOLS = "AveragePool GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool"

RULES = {
    "ArgMax": _arg,
    "ArgMin": _arg,
    "BatchNormalization": _batch_normalization,
    "CumSum": _cumulative,
    "GroupNormalization": _group_normalization,
    "Hardmax": _softmax,
    "InstanceNormalization": _instance_normalization,
    "LRN": _lrn,
    "LayerNormalization": _layer_normalization,
    "LogSoftmax": _softmax,
    "LpNormalization": _softmax,
    "RMSNormalization": _layer_normalization,
    "Resize": _resize,
    "Softmax": _softmax,
    **{f"Reduce{name}": _reduce for name in _REDUCTIONS.split()},
    **dict.fromkeys(_POOLS.split(), _pool),
}
