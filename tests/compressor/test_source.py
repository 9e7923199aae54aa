from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.fingerprint import fingerprint
from compressor.pipeline import CANONICALIZE
from compressor.source import IMPORTERS, read_source
from tests.graphs import assert_same, gaussian, graph_of, lines_of


def saved(folder: Path, model: ir.Model, name: str = "m.onnx") -> Path:
    path = folder / name
    path.write_bytes(ir.to_proto(model).SerializeToString())
    return path


def classifier() -> ir.Model:
    return graph_of(
        """g (float[N,3,8,8] x) => (float[N,5] y) {
            c = Conv<pads=[1,1,1,1]>(x, w)
            n = BatchNormalization(c, s, s, s, v)
            r = Relu(n)
            p = GlobalAveragePool(r)
            f = Flatten(p)
            y = Gemm(f, k)
        }""",
        opset=17,
        w=gaussian(4, 3, 3, 3),
        s=gaussian(4),
        v=np.abs(gaussian(4)) + 1,
        k=gaussian(4, 5),
    )


def test_model_is_read_checked_and_canonical(tmp_path: Path) -> None:
    model = classifier()
    path = saved(tmp_path, model)
    source = read_source(str(path))
    assert source.name == "m.onnx"
    assert source.path == path
    assert source.fingerprint == fingerprint(source.model)
    assert [str(spec) for spec in source.interface.inputs] == ["x: float32[N, 3, 8, 8] NCHW"]
    assert [str(spec) for spec in source.interface.outputs] == ["y: float32[N, 5]"]
    assert len(source.ledger) == len(CANONICALIZE)
    assert lines_of(source.model) == [
        "c = Conv[pads=[1, 1, 1, 1]](x, w_folded, w_bias)",
        "r = Relu(c)",
        "p = GlobalAveragePool(r)",
        "f = Reshape(p, f_shape)",
        "y = Gemm[transB=1](f, k_linear)",
    ]
    assert_same(model, source.model, terms=64)


def test_file_is_not_touched(tmp_path: Path) -> None:
    path = saved(tmp_path, classifier())
    before = path.read_bytes()
    read_source(str(path))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.onnx"]


def test_reading_twice_gives_the_same_graph(tmp_path: Path) -> None:
    path = str(saved(tmp_path, classifier()))
    assert read_source(path).fingerprint == read_source(path).fingerprint


def test_missing_file() -> None:
    with pytest.raises(EdgecError) as caught:
        read_source("nowhere/m.onnx")
    assert caught.value.code is Code.MODEL_NOT_FOUND
    assert "nowhere/m.onnx" in caught.value.what


def test_unknown_ending(tmp_path: Path) -> None:
    path = tmp_path / "m.weights"
    path.write_bytes(b"")
    with pytest.raises(EdgecError) as caught:
        read_source(str(path))
    assert caught.value.code is Code.MODEL_FORMAT_UNKNOWN


@pytest.mark.parametrize("name", list(IMPORTERS))
def test_importer(name: str) -> None:
    module = IMPORTERS[name]
    assert module.__doc__
    assert module.accepts(Path("m.nothing-known")) is False
    assert callable(module.load)


def test_initializers_as_inputs(tmp_path: Path) -> None:
    """The form of ir_version 3: constants in both lists, with their types."""
    proto = ir.to_proto(classifier())
    proto.ir_version = 7
    for tensor in proto.graph.initializer:
        proto.graph.input.append(
            onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    source = read_source(str(path))
    assert [spec.name for spec in source.interface.inputs] == ["x"]
    assert len(source.model.graph) == 5


def test_functions_are_inlined(tmp_path: Path) -> None:
    model = ir.from_onnx_text(
        """<ir_version: 8, opset_import: ["" : 18, "local" : 1]>
        g (float[N,3] x) => (float[N,3] y) { y = local.twice(x) }
        <domain: "local", opset_import: ["" : 18]>
        twice (x) => (y) { y = Add(x, x) }
        """
    )
    source = read_source(str(saved(tmp_path, model)))
    assert lines_of(source.model) == ["y = Add(x, x)"]


def test_overflow_while_folding_is_found(tmp_path: Path) -> None:
    """The weights are finite, their product with the gain of the normalization is not."""
    model = classifier()
    proto = ir.to_proto(model)
    for tensor in proto.graph.initializer:
        if tensor.name in ("w", "s"):
            array = np.full(tuple(tensor.dims), 1e30, np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(EdgecError) as caught:
        read_source(str(path))
    assert caught.value.code is Code.MODEL_NOT_FINITE


def test_quality_is_judged_when_asked(tmp_path: Path) -> None:
    path = str(saved(tmp_path, classifier()))
    source = read_source(path, evaluate=lambda model: float(model.graph.num_nodes()))
    assert [entry.quality for entry in source.ledger] == [float(e.nodes) for e in source.ledger]


@pytest.mark.parametrize("name", ["cifar10_resnet20", "fastestdet_coco", "mlperf_ae_toycar"])
def test_real_models_compute_the_same_after_canonicalization(name: str, shared_data: Path) -> None:
    path = shared_data / "models" / name / "model.onnx"
    assert_same(ir.load(path), read_source(str(path)).model, terms=4096, layers=64, batch=1)
