"""Control flow is kept as it is, and no pass breaks what subgraphs see of the graph around them."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import Precision, precision_of
from compressor.source import Source, read_source
from exporters import onnx as exporter
from exporters.protocol import ExportOptions, raise_refusals
from exporters.tflite import export as tflite
from tests.graphs import Array, feeds_for, gaussian, run_onnx
from tests.quantized import quantized
from tests.tolerances import float32_network

BRANCHES = """g (float[N,4] x, bool c) => (float[N,4] y) {
    h = MatMul(x, w)
    a = Add(h, b)
    y = If (c) <
        then_branch = t () => (float[N,4] r) { k = Constant<value = float {2.0}>() r = Mul(a, k) },
        else_branch = e () => (float[N,4] r) { k = Constant<value = float {3.0}>() r = Sub(h, k) }
    >
}"""
LOOP = """g (float[3] x, int64 n) => (float[3] y, float[N,3] all) {
    go = Constant<value = bool {1}>()
    twice = Mul(x, two)
    y, all = Loop (n, go, x) <
        body = b (int64 i, bool c, float[3] s) => (bool o, float[3] t, float[3] u) {
            o = Identity(c) t = Add(s, twice) u = Neg(t)
        }
    >
}"""
SCAN = """g (float[5,3] x) => (float[3] y, float[5,3] all) {
    zero = Constant<value = float[3] {0, 0, 0}>()
    y, all = Scan <
        num_scan_inputs = 1,
        body = b (float[3] s, float[3] e) => (float[3] t, float[3] u) {
            m = Mul(e, two) t = Add(s, m) u = Identity(t)
        }
    > (zero, x)
}"""
INT = {"w": gaussian(4, 4), "b": gaussian(4, seed=1), "two": np.float32(2)}


def saved(folder: Path, text: str) -> Path:
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 16]> {text}')
    for name, array in INT.items():
        if f" {name})" in text:
            proto.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), name))
    path = folder / "m.onnx"
    onnx.save(proto, path)
    return path


def check(path: Path, feeds: dict[str, Array]) -> Source:
    """Assert that the file at *path* computes the same once read and written."""
    source = read_source(str(path))
    want = run_onnx(path.read_bytes(), feeds)
    have = run_onnx(exporter.write(source.model, ExportOptions()), feeds)
    for name, expected in want.items():
        bound = float32_network(layers=4, terms=8) * np.abs(expected).max(initial=1.0)
        assert np.abs(have[name] - expected).max(initial=0.0) <= bound
    return source


@pytest.mark.parametrize("condition", [True, False])
def test_branches_see_the_graph_around_them(tmp_path: Path, condition: bool) -> None:
    source = check(saved(tmp_path, BRANCHES), {"x": gaussian(2, 4), "c": np.array(condition)})
    assert [n.op_type for n in source.model.graph if n.op_type == "If"] == ["If"]


def test_names_that_two_branches_share_are_told_apart(tmp_path: Path) -> None:
    model = read_source(str(saved(tmp_path, BRANCHES))).model
    names = [value.name for node in model.graph.all_nodes() for value in node.outputs]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("condition", [0, 1])
def test_branch_of_a_constant_condition_is_taken_for_good(tmp_path: Path, condition: int) -> None:
    text = BRANCHES.replace(", bool c", "").replace(
        "h = MatMul", f"c = Constant<value = bool {{{condition}}}>() h = MatMul"
    )
    source = check(saved(tmp_path, text), {"x": gaussian(2, 4)})
    assert "If" not in {node.op_type for node in source.model.graph}


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_loop(tmp_path: Path, steps: int) -> None:
    check(saved(tmp_path, LOOP), {"x": gaussian(3), "n": np.array(steps)})


def test_scan(tmp_path: Path) -> None:
    check(saved(tmp_path, SCAN), {"x": gaussian(5, 3)})


def test_integer_layer_whose_result_a_branch_reads(tmp_path: Path) -> None:
    model = read_source(str(saved(tmp_path, BRANCHES))).model
    before = model.clone()
    model.graph.inputs[1].type = ir.TensorType(ir.DataType.BOOL)
    quantized(model)
    assert Precision.INTEGER in {precision_of(node) for node in model.graph}
    feeds = feeds_for(before)
    want = run_onnx(exporter.write(before, ExportOptions()), feeds)["y"]
    have = run_onnx(exporter.write(model, ExportOptions()), feeds)["y"]
    assert np.abs(have - want).max() <= 0.05 * np.abs(want).max()


def test_tflite_refuses_by_name(tmp_path: Path) -> None:
    model = read_source(str(saved(tmp_path, BRANCHES))).model
    with pytest.raises(EdgecError) as caught:
        raise_refusals(tflite.check(model, ExportOptions()), "TFLite")
    assert caught.value.code is Code.NO_LOWERING
    assert "If" in caught.value.what
