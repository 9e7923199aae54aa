"""Float operators of ONNX Runtime's optimiser as the standard ones that they were fused from."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from compressor.passes.fused.quantized import MICROSOFT, standard
from compressor.passes.fused.signatures import Fused
from compressor.passes.opset.site import Attributes, Site, Unconvertible

_PLAIN = frozenset({"Relu", "Sigmoid", "Tanh"})


def _activate(site: Site, value: ir.Value, name: str, numbers: list[float]) -> None:
    """Let the node be the activation called *name* of *value*, with its *numbers*."""
    if name in _PLAIN:
        site.become(name, [value])
    elif name == "LeakyRelu" and len(numbers) == 1:
        site.become(name, [value], {"alpha": numbers[0]})
    elif name == "HardSigmoid" and len(numbers) == 2:
        site.become(name, [value], {"alpha": numbers[0], "beta": numbers[1]})
    elif name == "Clip" and len(numbers) == 2:
        low, high = (np.asarray(number, np.float32) for number in numbers)
        site.become(name, [value, site.constant(low, "low"), site.constant(high, "high")])
    elif name:
        raise Unconvertible(f"its activation is {name}")
    else:
        site.become("Identity", [value])


def _rest(site: Site, *taken: str) -> dict[str, ir.Attr]:
    return {name: a for name, a in site.attributes().items() if name not in taken}


def _fused_conv(site: Site) -> None:
    attributes = _rest(site, "activation", "activation_params")
    name = site.node.attributes.get_string("activation", "")
    numbers = [float(n) for n in site.node.attributes.get_floats("activation_params", [])]
    result = site.before("Conv", [site.input(0), site.input(1), site.input(2)], attributes)
    if site.input(3) is not None:
        result = site.before("Add", [result, site.input(3)])
    _activate(site, result, name, numbers)


def _fused_gemm(site: Site) -> None:
    names = ("activation_alpha", "activation_beta", "activation_gamma")
    attributes = _rest(site, "activation", *names)
    name = site.node.attributes.get_string("activation", "")
    stated = [site.node.attributes.get_float(n, math.nan) for n in names]
    numbers = [number for number in stated if not math.isnan(number)]
    _activate(site, site.before("Gemm", list(site.node.inputs), attributes), name, numbers)


def _fused_matmul(site: Site) -> None:
    if site.take_int("transBatchA", 0) or site.take_int("transBatchB", 0):
        raise Unconvertible("it transposes batch axes")
    alpha = site.take_float("alpha", 1.0)
    operands = [
        _transposed(site, index) if site.take_int(name, 0) else site.input(index)
        for index, name in enumerate(("transA", "transB"))
    ]
    product = site.before("MatMul", operands)
    if alpha == 1.0:
        site.become("Identity", [product])
    else:
        site.become("Mul", [product, site.constant(np.float32(alpha), "alpha")])


def _transposed(site: Site, index: int) -> ir.Value:
    value = site.input(index)
    if value is None or value.shape is None or len(value.shape) < 2:
        raise Unconvertible("the rank of what it transposes is not known")
    order = list(range(len(value.shape)))
    return site.before("Transpose", [value], {"perm": [*order[:-2], order[-1], order[-2]]})


def _gelu(site: Site) -> None:
    site.become("Gelu", [site.input(0)])


def _bias_gelu(site: Site) -> None:
    site.become("Gelu", [site.before("Add", [site.input(0), site.input(1)])])


def _fast_gelu(site: Site) -> None:
    value = site.input(0)
    if site.input(1) is not None:
        value = site.before("Add", [value, site.input(1)])
    site.become("Gelu", [value], {"approximate": "tanh"})


def _quick_gelu(site: Site) -> None:
    alpha = site.constant(np.float32(site.take_float("alpha", 1.702)), "alpha")
    gate = site.before("Sigmoid", [site.before("Mul", [site.input(0), alpha])])
    site.become("Mul", [site.input(0), gate])


def _skip_layer_normalization(site: Site) -> None:
    node = site.node
    if any(out.uses() or out.is_graph_output() for out in node.outputs[1:3]):
        raise Unconvertible("its mean and deviation are read")
    epsilon = site.take_float("epsilon", 1e-12)
    total = site.before("Add", [site.input(0), site.input(1)])
    if site.input(4) is not None:
        total = site.before("Add", [total, site.input(4)])
    if len(node.outputs) > 3:
        if node.outputs[3].is_graph_output():
            raise Unconvertible("its sum is an output")
        node.outputs[3].replace_all_uses_with(total)
    site.become(
        "LayerNormalization",
        [total, site.input(2), site.input(3)],
        {"axis": -1, "epsilon": epsilon},
    )
    node.resize_outputs(1)


def _attention(site: Site) -> None:
    """Self-attention with packed weights [width, 3 * hidden], as in Vaswani et al. (2017)."""
    weight, attributes = site.known(1), site.node.attributes
    heads = attributes.get_int("num_heads", 0)
    special = attributes.get_int("unidirectional", 0) or attributes.get_int("do_rotary", 0)
    if special or "qkv_hidden_sizes" in attributes or len(site.node.outputs) > 1:
        raise Unconvertible("it is causal, rotated, of unequal widths or keeps its keys")
    if any(value is not None for value in site.node.inputs[3:]) or site.input(2) is None:
        raise Unconvertible("it has a mask, a past or no bias")
    if weight is None or weight.ndim != 2 or heads < 1 or weight.shape[1] % (3 * heads):
        raise Unconvertible("its weights are not constant, or do not divide into heads")
    width = weight.shape[1] // 3 // heads
    scale = attributes.get_float("scale", 0.0) or 1 / math.sqrt(width)
    packed = site.before(
        "Add", [site.before("MatMul", [site.input(0), site.input(1)]), site.input(2)]
    )
    split = site.constant(np.asarray([0, 0, 3, heads, width]), "split")
    parts = site.before("Reshape", [packed, split])
    query, keys, values = (_part(site, parts, i, order) for i, order in enumerate(_ORDERS))
    scores = site.before("MatMul", [query, keys])
    scaled = site.before("Mul", [scores, site.constant(np.float32(scale), "scale")])
    context = site.before("MatMul", [site.before("Softmax", [scaled], {"axis": -1}), values])
    back = site.before("Transpose", [context], {"perm": [0, 2, 1, 3]})
    site.become("Reshape", [back, site.constant(np.asarray([0, 0, heads * width]), "rows")])


_ORDERS = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])


def _part(site: Site, parts: ir.Value, index: int, order: list[int]) -> ir.Value:
    """Return query, keys or values of *parts* [batch, tokens, 3, heads, width], axes in *order*."""
    chosen = site.constant(np.asarray(index, np.int64), "part")
    attributes: Attributes = {"axis": 2}
    return site.before(
        "Transpose", [site.before("Gather", [parts, chosen], attributes)], {"perm": order}
    )


FLOATING: Mapping[tuple[str, str], Fused] = {
    (MICROSOFT, "FusedConv"): Fused(_fused_conv, operands=2),
    (MICROSOFT, "FusedGemm"): Fused(_fused_gemm, operands=2),
    (MICROSOFT, "FusedMatMul"): Fused(_fused_matmul, operands=2),
    (MICROSOFT, "TransposeMatMul"): Fused(_fused_matmul, operands=2),
    (MICROSOFT, "Gelu"): Fused(_gelu),
    (MICROSOFT, "BiasGelu"): Fused(_bias_gelu, operands=2),
    (MICROSOFT, "FastGelu"): Fused(_fast_gelu),
    (MICROSOFT, "QuickGelu"): Fused(_quick_gelu),
    (MICROSOFT, "LayerNormalization"): Fused(standard("LayerNormalization"), operands=2),
    (MICROSOFT, "SkipLayerNormalization"): Fused(_skip_layer_normalization, operands=3),
    (MICROSOFT, "Attention"): Fused(_attention, operands=3),
}
