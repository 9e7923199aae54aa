"""Newer forms of operators in the words of the canonical opset.

Operators that the standard defines as functions of others are not listed: their bodies are used.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from compressor.passes.opset.site import Rule, Site, Unconvertible


def _drop_default(name: str, *allowed: int) -> Rule:
    """The new integer attribute *name* is as good as absent for the values *allowed*."""

    def rule(site: Site) -> None:
        value = site.take_int(name, 0)
        if value not in allowed:
            raise Unconvertible(f"{name}={value} is newer than the canonical opset")

    return rule


def _drop_round_mode(site: Site) -> None:
    """Rounding was specified for float8e8m0 only, a type that the canonical opset lacks."""
    site.node.attributes.pop("round_mode", None)


def _dequantize_23(site: Site) -> None:
    wanted = site.take_int("output_dtype", 0)
    scale = site.input(1)
    if wanted and (scale is None or scale.dtype is None or scale.dtype.value != wanted):
        raise Unconvertible("its result is not of the type of its scale")


def _range_27(site: Site) -> None:
    """Half-precision ranges are summed in float32."""
    stash = site.take_int("stash_type", ir.DataType.FLOAT.value)
    dtype = None if (source := site.input(0)) is None else source.dtype
    if dtype not in (ir.DataType.FLOAT16, ir.DataType.BFLOAT16):
        return
    wide = [site.before("Cast", [value], {"to": stash}) for value in site.node.inputs]
    site.set_inputs(*wide)
    site.behind("Cast", [], {"to": dtype.value})


def _space_to_depth_28(site: Site) -> None:
    """Columns before rows is a reshape, a transposition and a reshape."""
    attribute = site.node.attributes.pop("mode", None)
    if attribute is None or attribute.as_string() == "DCR":
        return
    dims, size = site.dims(), site.take_int("blocksize", 1)
    if dims is None or None in dims[1:]:
        raise Unconvertible("its shape is not known")
    channels, height, width = (int(dim or 0) for dim in dims[1:])
    split = [-1, channels, height // size, size, width // size, size]
    merged = [-1, channels * size * size, height // size, width // size]
    blocks = site.before("Reshape", [site.input(0), site.constant(np.asarray(split), "split")])
    moved = site.before("Transpose", [blocks], {"perm": [0, 1, 3, 5, 2, 4]})
    site.node.op_type = "Reshape"
    site.set_inputs(moved, site.constant(np.asarray(merged), "merged"))


def _bit_shift_28(site: Site) -> None:
    """Signed integers are shifted as unsigned ones of 64 bits; amounts out of range are cut."""
    dtype = None if (source := site.input(0)) is None else source.dtype
    if dtype is None or dtype not in _SIGNED:
        return
    left = site.node.attributes.get_string("direction") == "LEFT"
    zero, last = (site.constant(np.asarray(n, np.int64), role) for n, role in _SHIFTS)
    number, amount = (site.before("Cast", [v], _to("INT64")) for v in site.node.inputs)
    cut = site.before("Clip", [amount, zero, last])
    fits = site.before("Equal", [amount, cut])
    negative = site.before("Less", [number, zero])
    if left:
        number = site.before("Where", [fits, number, zero])
    else:  # the complement of a negative number shifts zeros in where ones are wanted
        cut = site.before("Where", [fits, amount, last])
        number = site.before("Where", [negative, site.before("BitwiseNot", [number]), number])
    site.set_inputs(*(site.before("Cast", [v], _to("UINT64")) for v in (number, cut)))
    if not left:
        shifted = site.before("BitShift", list(site.node.inputs), {"direction": "RIGHT"})
        number = site.before("Cast", [shifted], _to("INT64"))
        flipped = site.before("BitwiseNot", [number])
        site.node.op_type = "Where"
        site.node.attributes.clear()
        site.set_inputs(negative, flipped, number)
    site.behind("Cast", [], {"to": dtype.value})


def _mod_28(site: Site) -> None:
    """The remainder of floats may take the divisor's sign: that of fmod, moved when it differs."""
    dtype = None if (source := site.input(0)) is None else source.dtype
    fmod = site.node.attributes.get_int("fmod", 0)
    if fmod or dtype is None or not dtype.is_floating_point():
        return
    left, right = site.input(0), site.input(1)
    zero = site.constant(np.zeros((), dtype.numpy()), "zero")
    rest = site.before("Mod", [left, right], {"fmod": 1})
    signs = [site.before("Less", [value, zero]) for value in (rest, right)]
    nothing = site.before("Equal", [rest, zero])
    moved = site.before("Add", [rest, right])
    differ = site.before("And", [site.before("Xor", signs), site.before("Not", [nothing])])
    site.node.op_type = "Where"
    site.node.attributes.clear()
    site.set_inputs(differ, moved, rest)


def _cum_prod_26(site: Site) -> None:
    """A scan along the axis whose state is the product so far."""
    axis = site.known(1)
    dtype = None if (source := site.input(0)) is None else source.dtype
    if axis is None or dtype is None:
        raise Unconvertible("its axis is computed")
    along, backward = int(axis.reshape(())), site.take_int("reverse", 0)
    first = site.constant(np.asarray(0, np.int64), "first")
    slice_shape = site.before(
        "Shape", [site.before("Gather", [site.input(0), first], {"axis": along})]
    )
    one = site.constant(np.ones((), dtype.numpy()), "one")
    start = site.before("Expand", [one, slice_shape])
    body = _product_step(dtype, exclusive=bool(site.take_int("exclusive", 0)))
    node, graph = site.node, site.node.graph
    if graph is None:
        raise Unconvertible("the node is in no graph")
    node.op_type = "Identity"
    scan = ir.node("Scan", [start, site.input(0)], {"num_scan_inputs": 1}, num_outputs=2)
    scan.attributes["body"] = ir.AttrGraph("body", body)
    for side in ("input", "output"):
        scan.attributes[f"scan_{side}_axes"] = ir.AttrInt64s(f"scan_{side}_axes", [along])
        way = f"scan_{side}_directions"
        scan.attributes[way] = ir.AttrInt64s(way, [backward])
    for value, role in zip(scan.outputs, ("total", "products"), strict=True):
        value.name = site.free(role)
    graph.insert_before(node, scan)
    site.set_inputs(scan.outputs[1])


def _product_step(dtype: ir.DataType, *, exclusive: bool) -> ir.Graph:
    """Return the body ``(total, x) -> (total * x, total * x or total)``."""
    total = ir.Value(name="cumprod_total", type=ir.TensorType(dtype))
    element = ir.Value(name="cumprod_element", type=ir.TensorType(dtype))
    multiply = ir.node("Mul", [total, element], name="cumprod_multiply")
    keep = ir.node("Identity", [total if exclusive else multiply.outputs[0]], name="cumprod_keep")
    for node, name in ((multiply, "cumprod_next"), (keep, "cumprod_product")):
        node.outputs[0].name, node.outputs[0].type = name, ir.TensorType(dtype)
    outputs = [multiply.outputs[0], keep.outputs[0]]
    return ir.Graph([total, element], outputs, nodes=[multiply, keep], name="cumprod")


def _to(name: str) -> dict[str, int]:
    return {"to": ir.DataType[name].value}


_SIGNED = (ir.DataType.INT8, ir.DataType.INT16, ir.DataType.INT32, ir.DataType.INT64)
_SHIFTS = ((0, "zero"), (63, "last"))

NEWER: Mapping[str, Rule] = {
    "BitShift": _bit_shift_28,
    "Cast": _drop_round_mode,
    "CastLike": _drop_round_mode,
    "CumProd": _cum_prod_26,
    "DequantizeLinear": _dequantize_23,
    "Mod": _mod_28,
    "QuantizeLinear": _drop_default("precision", 0, ir.DataType.FLOAT.value),
    "Range": _range_27,
    "SpaceToDepth": _space_to_depth_28,
}
