"""The meaning of an annotated graph in plain ONNX: each annotated value passes Q/DQ in float."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnx_ir as ir
import onnxruntime

from compressor.ir.annotations import is_convert, quant_of


def fake_quantized(model: ir.Model) -> ir.Model:
    """Return a float ONNX model that computes what the integers of *model* stand for."""
    copy = model.clone()
    graph = copy.graph
    for value in list(graph.initializers.values()):
        params = quant_of(value)
        if params is not None and value.const_value is not None:
            real = params.dequantize(params.quantize(value.const_value.numpy()))
            value.const_value = ir.Tensor(real, name=value.name)
    for node in list(graph):
        if is_convert(node):
            node.op_type, node.domain = "Identity", ""
        for value in node.outputs:
            _round_trip(graph, node, value)
    graph.opset_imports.setdefault("", 21)
    return copy


def _round_trip(graph: ir.Graph, node: ir.Node, value: ir.Value) -> None:
    params = quant_of(value)
    if params is None:
        return
    scale = _constant(graph, f"{value.name}/scale", params.scale_array())
    zero = _constant(graph, f"{value.name}/zero", params.zero_point_array())
    uses = [(use.node, use.idx) for use in value.uses()]
    quantize = ir.node("QuantizeLinear", [value, scale, zero])
    quantize.outputs[0].name = f"{value.name}/q"
    dequantize = ir.node("DequantizeLinear", [quantize.outputs[0], scale, zero])
    result = dequantize.outputs[0]
    result.name, result.shape, result.type = f"{value.name}/dq", value.shape, value.type
    graph.insert_after(node, [quantize, dequantize])
    for reader, index in uses:
        reader.replace_input_with(index, result)
    if value.is_graph_output():
        name, value.name = value.name, f"{value.name}/raw"
        result.name = name
        graph.outputs[list(graph.outputs).index(value)] = result


def _constant(graph: ir.Graph, name: str, array: np.ndarray) -> ir.Value:
    value = ir.Value(name=name, const_value=ir.Tensor(array, name=name))
    value.shape, value.dtype = ir.Shape(array.shape), value.const_value.dtype
    graph.register_initializer(value)
    return value


def run_onnx(model: ir.Model, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Execute *model* in ONNX Runtime with its optimiser off."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    proto = ir.to_proto(model).SerializeToString()
    session = onnxruntime.InferenceSession(proto, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in model.graph.outputs]
    return dict(zip(names, session.run(names, feeds), strict=True))


def tapped(
    model: ir.Model, names: Sequence[str]
) -> Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]:
    """Return a function that runs *model* and returns the values *names*."""
    copy = model.clone()
    for node in copy.graph:
        for value in node.outputs:
            if value.name in names and not value.is_graph_output():
                copy.graph.outputs.append(value)

    def run(feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        found = {**feeds, **run_onnx(copy, dict(feeds))}
        return [found[name] for name in names]

    return run
