"""Older forms of operators as they are written today, by the version that changed them.

What is not listed has only gained types, optional inputs or attributes whose default is the old
behaviour; a test compares the schemas of every version to that end.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from compressor.passes.opset.site import Rule, Site, Unconvertible

_LARGEST_FLOAT = float(np.finfo(np.float32).max)


def _attribute_to_input(name: str) -> Rule:
    """The integer list *name* became the second input."""

    def rule(site: Site) -> None:
        values = site.take_ints(name)
        if values is not None:
            site.set_inputs(site.input(0), site.constant(np.asarray(values, np.int64), name))

    return rule


def _batch_normalization_9(site: Site) -> None:
    if site.take_int("spatial", 1) != 1:
        raise Unconvertible("it normalizes every position by itself (spatial=0)")


def _batch_normalization_14(site: Site) -> None:
    if any(out.uses() or out.is_graph_output() for out in site.node.outputs[1:]):
        raise Unconvertible("it is in training mode")
    site.node.resize_outputs(1)


def _clip_11(site: Site) -> None:
    dtype = site.dtype()
    low = site.take_float("min", -_LARGEST_FLOAT)
    high = site.take_float("max", _LARGEST_FLOAT)
    bounds = [
        None if abs(bound) == _LARGEST_FLOAT else site.constant(np.asarray(bound, dtype), name)
        for bound, name in ((low, "min"), (high, "max"))
    ]
    site.set_inputs(site.input(0), *bounds)


def _dft_20(site: Site) -> None:
    axis = np.asarray(site.take_int("axis", 1), np.int64)
    site.set_inputs(site.input(0), site.input(1), site.constant(axis, "axis"))


def _dropout_10(site: Site) -> None:
    if any(out.uses() or out.is_graph_output() for out in site.node.outputs[1:]):
        raise Unconvertible("its mask has the type of its input before opset 10")


def _dropout_12(site: Site) -> None:
    site.take_float("ratio", 0.5)  # nothing is dropped at inference


def _grid_sample_20(site: Site) -> None:
    names = {"bilinear": "linear", "bicubic": "cubic", "nearest": "nearest"}
    attribute = site.node.attributes.pop("mode", None)
    old = "bilinear" if attribute is None else attribute.as_string()
    if old not in names:
        raise Unconvertible(f"mode '{old}' is not of the standard")
    site.node.attributes["mode"] = ir.AttrString("mode", names[old])


def _group_normalization_21(site: Site) -> None:
    """Scale and bias of each group became those of each channel."""
    dims, groups = site.dims(), site.node.attributes.get_int("num_groups", 0)
    channels = None if dims is None else dims[1]
    if channels is None or not groups or channels % groups:
        raise Unconvertible("the number of channels is not known")
    repeats = site.constant(np.asarray([1, channels // groups], np.int64), "repeats")
    column = site.constant(np.asarray([groups, 1], np.int64), "column")
    flat = site.constant(np.asarray([-1], np.int64), "flat")
    wide = [site.input(0)]
    for index in (1, 2):
        tall = site.before("Reshape", [site.input(index), column])
        wide.append(site.before("Reshape", [site.before("Tile", [tall, repeats]), flat]))
    site.set_inputs(*wide)


def _last_axis_13(site: Site) -> None:
    """Softmax and its kin coerced their input to two dimensions, split at ``axis``."""
    dims, axis = site.dims(), site.take_int("axis", 1)
    rank = None if dims is None else len(dims)
    if rank is not None and axis in (-1, rank - 1):
        site.node.attributes["axis"] = ir.AttrInt64("axis", -1)
        return
    source = site.input(0)
    shape = site.before("Shape", [source])
    site.set_inputs(site.before("Flatten", [source], {"axis": axis}))
    site.node.attributes["axis"] = ir.AttrInt64("axis", -1)
    site.behind("Reshape", [shape])


def _pad_11(site: Site) -> None:
    pads = site.take_ints("pads") or []
    value = np.asarray(site.take_float("value", 0.0), site.dtype())
    site.set_inputs(
        site.input(0),
        site.constant(np.asarray(pads, np.int64), "pads"),
        site.constant(value, "value"),
    )


def _resize_11(site: Site) -> None:
    """Resize had two inputs, and rounded up when it shrank and down when it grew.

    The standard left the choice open; this is what its own test and ONNX Runtime do.
    """
    scales = site.known(1)
    mode = site.node.attributes.get_string("mode", "nearest")
    if mode == "nearest" and scales is None:
        raise Unconvertible("its scales are computed")
    if mode == "nearest" and scales is not None:
        shrinks, grows = bool((scales < 1).any()), bool((scales > 1).any())
        if shrinks and grows:
            raise Unconvertible("it shrinks one axis and stretches another")
        site.node.attributes["nearest_mode"] = ir.AttrString(
            "nearest_mode", "ceil" if shrinks else "floor"
        )
    site.node.attributes["coordinate_transformation_mode"] = ir.AttrString(
        "coordinate_transformation_mode", "asymmetric"
    )
    site.set_inputs(site.input(0), None, site.input(1))


def _resize_13(site: Site) -> None:
    mode = site.node.attributes.get_string("coordinate_transformation_mode", "half_pixel")
    if mode == "tf_half_pixel_for_nn":
        raise Unconvertible(f"coordinate mode '{mode}' was removed from the standard")
    if mode != "tf_crop_and_resize":  # no other mode reads the region
        inputs = [site.input(0), None, site.input(2), site.input(3)]
        if site.input(3) is not None:
            inputs[2] = None
        site.set_inputs(*inputs)


def _roi_align_16(site: Site) -> None:
    site.node.attributes["coordinate_transformation_mode"] = ir.AttrString(
        "coordinate_transformation_mode", "output_half_pixel"
    )


def _scan_9(site: Site) -> None:  # noqa: ARG001
    raise Unconvertible("its batch axis was removed from the standard")


def _scatter_11(site: Site) -> None:
    site.node.op_type = "ScatterElements"


def _slice_10(site: Site) -> None:
    starts = site.take_ints("starts") or []
    ends = site.take_ints("ends") or []
    axes = site.take_ints("axes")
    lists = [("starts", starts), ("ends", ends)] + ([] if axes is None else [("axes", axes)])
    constants = [site.constant(np.asarray(values, np.int64), name) for name, values in lists]
    site.set_inputs(site.input(0), *constants)


def _split_18(site: Site) -> None:
    if site.input(1) is None:
        site.set_inputs(site.input(0))
        site.node.attributes["num_outputs"] = ir.AttrInt64("num_outputs", len(site.node.outputs))


def _top_k_10(site: Site) -> None:
    count = np.asarray([site.take_int("k", 1)], np.int64)
    site.set_inputs(site.input(0), site.constant(count, "k"))


def _upsample_9(site: Site) -> None:
    found = site.node.attributes.pop("scales", None)
    if found is None:
        raise Unconvertible("it states no scales")
    scales = np.asarray(found.as_floats(), np.float32)
    site.set_inputs(site.input(0), site.constant(scales, "scales"))


def _upsample_10(site: Site) -> None:
    site.node.op_type = "Resize"
    _resize_11(site)


_AXES = _attribute_to_input("axes")
_REDUCTIONS = "L1 L2 LogSum LogSumExp Max Mean Min Prod SumSquare"

OLDER: Mapping[str, Mapping[int, Rule]] = {
    "BatchNormalization": {9: _batch_normalization_9, 14: _batch_normalization_14},
    "Clip": {11: _clip_11},
    "DFT": {20: _dft_20},
    "Dropout": {10: _dropout_10, 12: _dropout_12},
    "GridSample": {20: _grid_sample_20},
    "GroupNormalization": {21: _group_normalization_21},
    "Hardmax": {13: _last_axis_13},
    "LogSoftmax": {13: _last_axis_13},
    "Pad": {11: _pad_11},
    **{f"Reduce{name}": {18: _AXES} for name in _REDUCTIONS.split()},
    "ReduceSum": {13: _AXES},
    "Resize": {11: _resize_11, 13: _resize_13},
    "RoiAlign": {16: _roi_align_16},
    "Scan": {9: _scan_9},
    "Scatter": {11: _scatter_11},
    "Slice": {10: _slice_10},
    "Softmax": {13: _last_axis_13},
    "Split": {13: _attribute_to_input("split"), 18: _split_18},
    "Squeeze": {13: _AXES},
    "TopK": {10: _top_k_10},
    "Unsqueeze": {13: _AXES},
    "Upsample": {9: _upsample_9, 10: _upsample_10},
}
