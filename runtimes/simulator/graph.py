"""From a model's own graph to the work of its operators, as a CPU library would run them."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

import onnx_ir as ir

from compressor.analyses.cost import macs_of
from compressor.ir.annotations import is_convert, quant_of
from compressor.ir.rewrite import constant_of
from compressor.source import read_source
from runtimes.simulator.work import Kind, Work

_ELEMENTWISE = frozenset({
    "Abs", "Add", "BatchNormalization", "Clip", "Div", "HardSigmoid", "HardSwish", "LeakyRelu",
    "Max", "Min", "Mul", "Neg", "PRelu", "Relu", "Sub", "Sum",
})  # fmt: skip
_MOVEMENT = frozenset({
    "Concat", "DepthToSpace", "Expand", "Gather", "Pad", "Resize", "Slice", "SpaceToDepth", "Split",
    "Tile", "Transpose",
})  # fmt: skip
_TRANSCENDENTAL = frozenset({"Exp", "LRN", "Log", "Sigmoid", "Softmax", "Swish", "Tanh"})
_POOL = frozenset({"AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "ReduceMean"})
_FREE = frozenset({
    "Cast", "Constant", "ConstantOfShape", "Dropout", "Flatten", "Identity", "Range", "Reshape",
    "Shape", "Squeeze", "Unsqueeze",
})  # fmt: skip
_FUSED = frozenset({"Clip", "LeakyRelu", "Relu"})  # done while a layer's results are in registers
_LAYERS = frozenset({"Conv", "Gemm", "MatMul"})


def read_graph(path: Path) -> ir.Graph:
    """Return the canonical graph of the model at *path*.

    Raises:
        EdgecError: a 2xx code that says what is wrong with the model.
    """
    return read_source(str(path)).model.graph


def works_of(graph: ir.Graph) -> list[Work]:
    """Return the work of each node of *graph*, at batch 1."""
    return [_work(node) for node in graph]


def _work(node: ir.Node) -> Work:
    kind = _kind(node)
    taken = sum(_size(value) for value in node.inputs if value is not None and not _known(value))
    made = sum(_size(value) for value in node.outputs)
    weight = node.inputs[1] if node.op_type in _LAYERS and len(node.inputs) > 1 else None
    common = Work(
        name=node.name or "",
        kind=kind,
        macs=macs_of(node),
        weights=_size(weight) if weight is not None and _known(weight) else 0,
        elements_in=taken,
        elements_out=made,
        window=_window(node),
        integer=_is_integer(node),
    )
    return _convolution(node, common) if node.op_type == "Conv" else common


def _convolution(node: ir.Node, common: Work) -> Work:
    weight, output = _dims(node.inputs[1]), _dims(node.outputs[0])
    groups = node.attributes.get_int("group", 1)
    strides = node.attributes.get_ints("strides", [1])
    spatial = output[2:]
    return replace(
        common,
        stride=max(strides),
        groups=groups,
        channels_in=weight[1] * groups,
        channels_out=weight[0],
        width=spatial[-1] if spatial else 1,
        height=prod(spatial[:-1]),
    )


def _kind(node: ir.Node) -> Kind:
    if is_convert(node):
        return Kind.ELEMENTWISE
    if node.domain not in ("", "ai.onnx"):
        return Kind.UNCOVERED
    if _is_bookkeeping(node):
        return Kind.FREE
    match node.op_type:
        case "Conv":
            weight = _dims(node.inputs[1])
            single = weight[1] == 1 and node.attributes.get_int("group", 1) > 1
            return Kind.DEPTHWISE if single else Kind.CONV
        case "Gemm" | "MatMul":
            # Products of many rows (transformers) run kernels that no measured model has.
            one_row = _size(node.outputs[0]) == _dims(node.outputs[0])[-1]
            return Kind.DENSE if one_row and _known(node.inputs[1]) else Kind.UNCOVERED
        case name if name in _POOL:
            return Kind.POOL
        case name if name in _ELEMENTWISE:
            return Kind.ELEMENTWISE
        case name if name in _MOVEMENT:
            return Kind.MOVEMENT
        case name if name in _TRANSCENDENTAL:
            return Kind.TRANSCENDENTAL
        case _:
            return Kind.UNCOVERED


def _is_bookkeeping(node: ir.Node) -> bool:
    """Whether *node* takes no time: views, shapes, fused activations, the interface's layout."""
    if node.op_type in _FREE or all(_known(v) for v in node.inputs if v is not None):
        return True
    if any(v.dtype is not None and v.dtype.is_integer() and not _is_float(v) for v in node.outputs):
        return True
    source = node.inputs[0]
    if node.op_type == "Transpose" and source is not None:
        return source.is_graph_input() or node.outputs[0].is_graph_output()
    if node.op_type in _FUSED and source is not None:
        producer = source.producer()
        return producer is not None and producer.op_type in _LAYERS and len(source.uses()) == 1
    return False


def _is_float(value: ir.Value) -> bool:
    return quant_of(value) is not None or (
        value.dtype is not None and value.dtype.is_floating_point()
    )


def _is_integer(node: ir.Node) -> bool:
    """Whether all activations of *node* are integers, and its weights where it has any."""
    values = [v for v in node.inputs if v is not None and not _known(v)]
    if node.op_type in _LAYERS and node.inputs[1] is not None:
        values.append(node.inputs[1])
    return bool(values) and all(quant_of(value) is not None for value in values)


def _window(node: ir.Node) -> int:
    if node.op_type == "Conv":
        return prod(_dims(node.inputs[1])[2:])
    if node.op_type in _POOL:
        return prod(node.attributes.get_ints("kernel_shape", [0]))
    return 1


def _known(value: ir.Value | None) -> bool:
    return constant_of(value) is not None


def _size(value: ir.Value) -> int:
    return prod(_dims(value))


def _dims(value: ir.Value | None) -> list[int]:
    """Shape at batch 1: an unknown dimension counts as 1."""
    if value is None or value.shape is None:
        return []
    return [dim if isinstance(dim, int) else 1 for dim in value.shape]
