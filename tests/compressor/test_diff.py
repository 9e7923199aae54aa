"""A bug planted in one layer is found there, in any format."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.diff import Diff, TensorGap, diff_models
from compressor.errors import Code, EdgecError
from compressor.ir.quant import IntegerType
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_type import SetIoType
from exporters import onnx as onnx_exporter
from exporters import tflite
from exporters.protocol import ExportOptions
from tests.graphs import constant, graph_of
from tests.quantized import GRAPHS, quantized


def saved(name: str, content: bytes, folder: Path) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def original(folder: Path, name: str = "residual") -> str:
    content = ir.to_proto(GRAPHS[name]()).SerializeToString()
    return saved("a.onnx", content, folder)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
@pytest.mark.parametrize("name", ["residual", "transformer", "concat"])
def test_faithful_forms_agree(name: str, suffix: str, tmp_path: Path) -> None:
    exporter = {"onnx": onnx_exporter, "tflite": tflite}[suffix]
    other = saved(f"b.{suffix}", exporter.write(GRAPHS[name](), ExportOptions()), tmp_path)
    found = diff_models(original(tmp_path, name), other, samples=3)
    assert found.first is None
    assert found.samples == 3
    assert len(found.gaps) >= 3
    assert all(gap.shape for gap in found.outputs)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_integers_are_compared_as_real_numbers(suffix: str, tmp_path: Path) -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    exporter = {"onnx": onnx_exporter, "tflite": tflite}[suffix]
    other = saved(f"b.{suffix}", exporter.write(model, ExportOptions()), tmp_path)
    found = diff_models(original(tmp_path), other)
    assert found.first is None, found.to_json()
    assert {gap.op_type for gap in found.gaps} >= {"Relu", "Conv"}
    assert all(gap.relative > 0 for gap in found.outputs)


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_a_wrong_weight_is_found_where_it_is(suffix: str, tmp_path: Path) -> None:
    broken = GRAPHS["residual"]()
    weight = constant(broken, "w1").copy()
    weight[2] *= 1.5
    broken.graph.initializers["w1"].const_value = ir.tensor(weight, name="w1")
    exporter = {"onnx": onnx_exporter, "tflite": tflite}[suffix]
    other = saved(f"b.{suffix}", exporter.write(broken, ExportOptions()), tmp_path)
    found = diff_models(original(tmp_path), other)
    assert found.first is not None
    assert found.worst is not None
    assert found.first.name in ("c1", "r1")
    assert found.first.relative > found.limit
    assert found.to_json()["agree"] is False


def test_other_names_are_matched_by_node_and_place(tmp_path: Path) -> None:
    a = graph_of("g (float[N,3] x) => (float[N,3] y) { m = Relu(x) y = Neg(m) }")
    b = graph_of("g (float[N,3] u) => (float[N,3] v) { k = Relu(u) v = Neg(k) }")
    paths = [
        saved(f"{n}.onnx", ir.to_proto(m).SerializeToString(), tmp_path)
        for n, m in (("a", a), ("b", b))
    ]
    found = diff_models(*paths)
    assert [(gap.name, gap.other) for gap in found.gaps] == [("m", "k")]
    assert [(gap.name, gap.other) for gap in found.outputs] == [("y", "v")]
    assert found.first is None


def test_outputs_of_other_sizes_are_apart(tmp_path: Path) -> None:
    a = graph_of("g (float[N,4] x) => (float[N,4] y) { y = Neg(x) }")
    b = graph_of("g (float[N,4] x) => (float[N,2] y) { y, z = Split<axis=1, num_outputs=2>(x) }")
    paths = [
        saved(f"{n}.onnx", ir.to_proto(m).SerializeToString(), tmp_path)
        for n, m in (("a", a), ("b", b))
    ]
    found = diff_models(*paths)
    assert found.first is not None
    assert found.first.relative == np.inf


def test_models_that_do_not_belong_together(tmp_path: Path) -> None:
    a = original(tmp_path)
    b = graph_of("g (float[N,4] x, float[N,4] z) => (float[N,4] y) { y = Add(x, z) }")
    with pytest.raises(EdgecError) as caught:
        diff_models(a, saved("b.onnx", ir.to_proto(b).SerializeToString(), tmp_path))
    assert caught.value.code is Code.MODEL_UNSUPPORTED


@pytest.mark.parametrize("suffix", ["onnx", "tflite"])
def test_integer_interfaces_are_fed_as_integers(suffix: str, tmp_path: Path) -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    SetIoType(integers=IntegerType.INT8).run(model, PassContext())
    exporter = {"onnx": onnx_exporter, "tflite": tflite}[suffix]
    other = saved(f"b.{suffix}", exporter.write(model, ExportOptions()), tmp_path)
    found = diff_models(original(tmp_path), other)
    assert found.first is None, found.to_json()


def test_a_tensor_on_another_scale_is_not_where_models_part() -> None:
    def gap(name: str, relative: float) -> TensorGap:
        return TensorGap(
            name=name, other=name, op_type="Conv", shape=(1,), relative=relative, largest=relative
        )

    gaps = (gap("a", 0.0), gap("b", 3.0), gap("c", 0.01))
    found = Diff(samples=1, limit=0.1, gaps=gaps, outputs=(gap("y", 0.02),), unmatched=())
    assert found.first is None
    apart = Diff(samples=1, limit=0.1, gaps=gaps, outputs=(gap("y", 0.5),), unmatched=())
    assert apart.first is gaps[1]
