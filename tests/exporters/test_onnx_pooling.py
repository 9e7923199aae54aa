"""Averages that fall between two integers: the same integers from both runtimes."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.annotations import Precision, precision_of, quant_of, set_precision, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from compressor.source import read_source
from exporters import onnx, tflite
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from tests.graphs import gaussian, graph_of, run_onnx
from tests.quantized import quantized

TEXT = """net (float[1,3,4,4] x) => (float[1,3,2,2] y) {
    y = AveragePool<kernel_shape = [2, 2], strides = [2, 2]>(x)
}"""
BETWEEN = """net (float[N,3,4,4] x) => (float[N,2,2,2] y) {
    a = Conv(x, w)
    b = AveragePool<kernel_shape = [2, 2], strides = [2, 2]>(a)
    y = Conv(b, v)
}"""
ZERO_POINTS = [-128, -17, 0, 127]


def pool(zero_point: int) -> ir.Model:
    model = graph_of(TEXT)
    params = QuantParams.per_tensor(IntegerType.INT8, 0.0371, zero_point)
    [node] = model.graph
    for value in (model.graph.inputs[0], node.outputs[0]):
        set_quant(value, params)
    set_precision(node, Precision.INTEGER)
    return model


def every_half() -> np.ndarray:
    """Return windows of four equal numbers, but one that is larger by two: each mean is a half."""
    corners = np.arange(-128, 126).repeat(4).reshape(-1, 4)
    corners[:, 3] += 2
    flat = np.resize(corners, (85, 3, 2, 2, 2, 2)).transpose(0, 1, 2, 4, 3, 5)
    return np.ascontiguousarray(flat.reshape(85, 3, 4, 4)).astype(np.int8)


@pytest.mark.parametrize("zero_point", ZERO_POINTS)
@pytest.mark.parametrize("activations", [IntegerType.UINT8, IntegerType.INT8])
@pytest.mark.parametrize("optimize", [False, True])
def test_halves_round_as_in_litert(
    zero_point: int, activations: IntegerType, optimize: bool, tmp_path: Path
) -> None:
    model = pool(zero_point)
    path = tmp_path / "pool.tflite"
    path.write_bytes(tflite.write(model, ExportOptions()))
    with Worker() as worker:
        [want] = worker.open("litert", path).run_many({"x": every_half()}).values()
    content = onnx.write(model, ExportOptions(activations=activations))
    have = [run_onnx(content, {"x": x[None]}, optimize=optimize)["y"] for x in every_half()]
    np.testing.assert_array_equal(np.concatenate(have), want)


def test_file_is_read_back_as_an_integer_pool(tmp_path: Path) -> None:
    model = graph_of(BETWEEN, w=gaussian(4, 3, 1, 1), v=gaussian(2, 4, 1, 1, seed=1))
    quantized(model)
    path = tmp_path / "pool.onnx"
    path.write_bytes(onnx.write(model, ExportOptions()))
    back = read_source(str(path)).model
    before, after = (next(n for n in m.graph if n.op_type == "AveragePool") for m in (model, back))
    assert precision_of(before) is precision_of(after) is Precision.INTEGER
    assert quant_of(after.inputs[0]) == quant_of(before.inputs[0])
    assert quant_of(after.outputs[0]) == quant_of(before.outputs[0])


def test_padding_that_counts_is_left_alone() -> None:
    """Its zeros are real zeros, which the stored zero is not."""
    model = pool(-128)
    [node] = model.graph
    node.attributes["pads"] = ir.AttrInt64s("pads", [1, 1, 1, 1])
    node.attributes["count_include_pad"] = ir.AttrInt64("count_include_pad", 1)
    model.graph.outputs[0].shape = ir.Shape([1, 3, 3, 3])
    zeros = np.full((1, 3, 4, 4), -128, np.int8)
    np.testing.assert_array_equal(
        run_onnx(onnx.write(model, ExportOptions()), {"x": zeros})["y"], -128
    )
