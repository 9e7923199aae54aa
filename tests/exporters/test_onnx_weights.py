"""Integer weights of float nodes: restored once on load, and of tables only what is looked up."""

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest

from compressor.ir.annotations import Precision, quant_of, set_precision, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.quantize_weights import QuantizeWeights
from exporters import onnx as exporter
from exporters.ort import export as ort_exporter
from exporters.protocol import ExportOptions
from tests.graphs import apply, constant, feeds_for, gaussian, graph_of, run_onnx
from tests.quantized import GRAPHS

TABLE = "g (int64[N,5] x) => (float[N,5,4] y) { y = Gather<axis=0>(table, x) }"


def gru() -> ir.Model:
    model = GRAPHS["gru"]()
    apply(model, QuantizeWeights())
    return model


def lookup() -> ir.Model:
    model = graph_of(TABLE, table=gaussian(9, 4))
    apply(model, QuantizeWeights())
    return model


def kinds_after_loading(content: bytes, folder: Path) -> set[str]:
    """Return the operators that ONNX Runtime runs once it has optimised the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return {node.op_type for node in onnx.load(folder / "loaded.onnx").graph.node}


def test_layers_run_on_floats_once_the_file_is_loaded(tmp_path: Path) -> None:
    ran = kinds_after_loading(exporter.write(gru(), ExportOptions()), tmp_path)
    assert "GRU" in ran
    assert not ran & {"DequantizeLinear", "Cast", "Mul"}


def test_both_forms_have_the_same_real_numbers() -> None:
    model = gru()
    feeds = feeds_for(model)
    restored, dequantized = (
        run_onnx(exporter.write(model, ExportOptions(restore_on_load=form)), feeds)
        for form in (True, False)
    )
    for name, array in restored.items():
        np.testing.assert_array_equal(array, dequantized[name])


def test_rows_that_are_looked_up_are_restored_exactly() -> None:
    model = lookup()
    params = quant_of(model.graph.initializers["table"])
    assert params is not None
    table = params.dequantize(params.quantize(constant(model, "table")))
    x = np.array([[0, 8, 3, 3, -1]])
    have = run_onnx(exporter.write(model, ExportOptions()), {"x": x})["y"]
    np.testing.assert_array_equal(have, table[x])


def test_table_stays_integer_when_the_file_is_loaded(tmp_path: Path) -> None:
    ran = kinds_after_loading(exporter.write(lookup(), ExportOptions()), tmp_path)
    assert ran == {"Gather", "DequantizeLinear"}


def test_ort_files_keep_integers() -> None:
    text = "g (float[N,64] x) => (float[N,64] y) { y = Gemm<transB=1>(x, w) }"
    floats = graph_of(text, w=gaussian(64, 64))
    integers = floats.clone()
    apply(integers, QuantizeWeights())
    sizes = [len(ort_exporter.write(model, ExportOptions())) for model in (integers, floats)]
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize("axis", [0, None])
def test_tables_of_other_forms_keep_their_meaning(axis: int | None) -> None:
    model = graph_of(TABLE, table=gaussian(9, 4))
    table, scale = model.graph.initializers["table"], np.full(9, 1 / 32)
    params = (
        QuantParams.per_tensor(IntegerType.INT8, 1 / 32, 0)
        if axis is None
        else QuantParams.per_channel(IntegerType.INT8, scale, axis)
    )
    set_quant(table, params)
    set_precision(model.graph[0], Precision.WEIGHT_ONLY)
    x = np.arange(5)[None]
    have = run_onnx(exporter.write(model, ExportOptions()), {"x": x})["y"]
    want = params.dequantize(params.quantize(constant(model, "table")))[x]
    np.testing.assert_array_equal(have, want)
