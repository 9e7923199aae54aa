"""Small graphs as ONNX text, their integer form, and what ONNX Runtime and LiteRT make of them."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema
from onnx_ir.passes.common import ShapeInferencePass

from compressor.ir.annotations import CONVERT, EDGEC_DOMAIN, Precision, set_precision, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from exporters import tflite
from exporters.protocol import ExportOptions
from tests.exporters.tflite.fake_quant import run_onnx

Arrays = dict[str, np.ndarray]
Range = tuple[float, float]

OPTIONS = ExportOptions()
_HEADER = '<ir_version: 10, opset_import: ["" : 21]>\n'
_WEIGHT_AXES = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0, "MatMul": 1}


def parse(text: str) -> ir.Model:
    """Return the graph written as *text* (without the header), with all shapes inferred."""
    model = ir.from_onnx_text(_HEADER + text)
    ShapeInferencePass()(model)
    return model


def random_constant(model: ir.Model, name: str, shape: tuple[int, ...], seed: int = 0) -> None:
    """Turn the graph input *name* into a constant of random numbers."""
    rng = np.random.default_rng([seed, len(name), *shape])
    array = rng.normal(size=shape) / np.sqrt(shape[-1] if shape else 1)
    set_constant(model, name, array.astype(np.float32))


def set_constant(model: ir.Model, name: str, array: np.ndarray) -> None:
    """Turn the graph input *name* into the constant *array*."""
    value = next(value for value in model.graph.inputs if value.name == name)
    model.graph.inputs.remove(value)
    value.const_value = ir.Tensor(array, name=name)
    model.graph.register_initializer(value)


def with_random_constants(model: ir.Model, seed: int = 0) -> ir.Model:
    """Turn every graph input but the first into a random constant (name it ``x...`` to keep it)."""
    for value in list(model.graph.inputs)[1:]:
        if not (value.name or "").startswith("x"):
            random_constant(model, value.name or "", tuple(value.shape or ()), seed)
    return model


def feeds_for(model: ir.Model, seed: int = 0, low: float = -3.0, high: float = 3.0) -> Arrays:
    """Return random inputs; integer ones count 0, 1, 2 and so on."""
    rng = np.random.default_rng(seed)
    feeds = {}
    for value in model.graph.inputs:
        shape = tuple(dim if isinstance(dim, int) else 1 for dim in value.shape or ())
        if value.dtype == ir.DataType.FLOAT:
            feeds[value.name or ""] = rng.uniform(low, high, shape).astype(np.float32)
        else:
            count = np.arange(int(np.prod(shape))).reshape(shape)
            feeds[value.name or ""] = count.astype(value.dtype.numpy())
    return feeds


def params_of(low: float, high: float) -> QuantParams:
    """Return int8 parameters that cover *low* to *high* and represent zero exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255)
    return QuantParams.per_tensor(IntegerType.INT8, float(scale), round(-128 - low / scale))


def to_integers(model: ir.Model, ranges: Mapping[str, Range | QuantParams]) -> ir.Model:
    """Annotate all of *model* as int8, activations by *ranges*, with Converts at its interface."""
    graph = model.graph
    for name, found in ranges.items():
        value = next(v for v in _values(graph) if v.name == name)
        set_quant(value, found if isinstance(found, QuantParams) else params_of(*found))
    for node in list(graph):
        set_precision(node, Precision.INTEGER)
        _annotate_constants(node)
    for value in list(graph.inputs):
        _convert_input(graph, value)
    for value in list(graph.outputs):
        _convert_output(graph, value)
    return model


def _values(graph: ir.Graph) -> list[ir.Value]:
    made = [out for node in graph for out in node.outputs]
    return [*graph.inputs, *graph.initializers.values(), *made]


def _annotate_constants(node: ir.Node) -> None:
    constants = [v for v in node.inputs if v is not None and v.const_value is not None]
    floats = [v for v in constants if v.dtype == ir.DataType.FLOAT and "edgec.quant" not in v.meta]
    source = node.inputs[0].meta.get("edgec.quant")
    for value in floats:
        array = value.const_value.numpy()
        axis = _WEIGHT_AXES.get(node.op_type)
        if axis is not None and value is node.inputs[1]:
            others = tuple(a for a in range(array.ndim) if a != axis)
            scale = np.maximum(np.abs(array).max(axis=others), 1e-6) / 127
            set_quant(value, QuantParams.per_channel(IntegerType.INT8, scale, axis))
        elif axis is not None:
            weight = node.inputs[1].meta["edgec.quant"]
            scale = np.asarray(weight.scale, np.float32) * np.float32(source.scale[0])
            set_quant(value, QuantParams.per_channel(IntegerType.INT32, scale, 0))
        elif node.op_type not in ("Clip", "Pad", "Resize"):
            set_quant(value, params_of(float(array.min()), float(array.max())))


def _convert_input(graph: ir.Graph, value: ir.Value) -> None:
    params = value.meta.pop("edgec.quant", None)
    if params is None:
        return
    uses = [(use.node, use.idx) for use in value.uses()]
    node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN)
    out = node.outputs[0]
    out.name, out.shape, out.type = f"{value.name}_quantized", value.shape, value.type
    set_quant(out, params)
    graph.insert_before(graph[0], node)
    for reader, index in uses:
        reader.replace_input_with(index, out)


def _convert_output(graph: ir.Graph, value: ir.Value) -> None:
    node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN)
    out = node.outputs[0]
    out.shape, out.type, out.name = value.shape, value.type, value.name
    value.name = f"{value.name}_quantized"
    graph.append(node)
    graph.outputs[list(graph.outputs).index(value)] = out


class LiteRt:
    """LiteRT with its default delegate, in a child process that may be aborted by a bad file."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def __call__(self, data: bytes, feeds: Arrays) -> Arrays:
        """Run the model *data* once; a crash of LiteRT is an AssertionError."""
        try:
            return self._pool.submit(_run, data, feeds).result(timeout=60)
        except BrokenProcessPool as error:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            raise AssertionError("LiteRT aborted its process") from error

    def close(self) -> None:
        """End the child process."""
        self._pool.shutdown()


def _run(data: bytes, feeds: Arrays) -> Arrays:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data, num_threads=1)
    runner = interpreter.get_signature_runner("serving_default")
    return {name: np.array(array) for name, array in runner(**feeds).items()}


def operators(data: bytes) -> list[str]:
    """Return the operators of a .tflite file in order, such as ``CONV_2D``."""
    model = unpacked(data)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    codes = [code.builtinCode for code in model.operatorCodes]
    return [names[codes[op.opcodeIndex]] for op in model.subgraphs[0].operators]


def unpacked(data: bytes) -> schema.ModelT:
    """Return a .tflite file as objects."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def assert_float_parity(
    model: ir.Model, litert: LiteRt, tolerance: float, feeds: Arrays | None = None
) -> list[str]:
    """Require LiteRT to agree with ONNX Runtime within *tolerance* of the largest output.

    Returns the operators of the file.
    """
    feeds = feeds or feeds_for(model)
    want = run_onnx(model, feeds)
    data = tflite.write(model, OPTIONS)
    have = litert(data, feeds)
    assert set(have) == set(want)
    for name, expected in want.items():
        assert have[name].shape == expected.shape
        assert have[name].dtype == expected.dtype
        scale = max(float(np.abs(expected).max(initial=0)), 1e-6)
        np.testing.assert_allclose(have[name], expected, rtol=0, atol=tolerance * scale)
    return operators(data)
