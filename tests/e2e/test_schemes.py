"""FP16, no quantization, no data, one format: the other ways through the main job."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from compressor.cli.main import main
from compressor.compile import Compilation, compile_model
from compressor.recipe import LedgerDetail, Recipe, Scheme

CompileModel = Callable[..., Compilation]


@pytest.fixture
def model(repository: Path) -> Path:
    return repository / "models/residual_cnn/model.onnx"


@pytest.fixture
def data(repository: Path) -> Path:
    return repository / "models/data/fashion_mnist.toml"


def test_fp16_halves_the_file_and_keeps_every_answer(
    compiled: CompileModel, model: Path, data: Path
) -> None:
    result = compiled(str(model), data, scheme=Scheme.FP16)
    for artifact in result.artifacts:
        assert artifact.accuracy is not None
        assert artifact.accuracy.agreement == pytest.approx(100.0, abs=0.1)  # 2 of 2,000 images
        assert artifact.size.file_bytes < 0.56 * result.source.size.file_bytes
    stored = {t.data_type for t in onnx.load(result.folder / "model.onnx").graph.initializer}
    assert onnx.TensorProto.FLOAT16 in stored


def test_int8_weights_need_no_data_and_a_third_of_the_file(
    compiled: CompileModel, model: Path
) -> None:
    result = compiled(str(model), None, scheme=Scheme.INT8_WEIGHTS)
    assert result.summary.integer_macs == 0
    assert result.summary.integer_weights > 0.9
    for artifact in result.artifacts:
        assert artifact.size.file_bytes < 0.35 * result.source.size.file_bytes


def test_int8_dynamic_needs_no_data_and_computes_products_in_integers(
    compiled: CompileModel, repository: Path
) -> None:
    result = compiled(str(repository / "models/vit/model.onnx"), None, scheme=Scheme.INT8_DYNAMIC)
    assert result.summary.integer_macs > 0.8
    operators = {node.op_type for node in onnx.load(result.folder / "model.onnx").graph.node}
    assert {"DynamicQuantizeLinear", "MatMulInteger"} <= operators
    for artifact in result.artifacts:
        assert artifact.size.file_bytes < 0.4 * result.source.size.file_bytes


def test_without_quantization_outputs_are_the_source_s(
    compiled: CompileModel, model: Path, data: Path
) -> None:
    result = compiled(str(model), data, scheme=Scheme.NONE)
    for artifact in result.artifacts:
        assert artifact.accuracy is not None
        assert artifact.accuracy.agreement == 100.0
        assert artifact.accuracy.sqnr_db > 90  # float32 summed in another order


def test_without_data_artifacts_are_checked_on_random_inputs(
    compiled: CompileModel, model: Path
) -> None:
    result = compiled(str(model), None, scheme=Scheme.FP16)
    assert [artifact.accuracy for artifact in result.artifacts] == [None, None]
    assert any("random inputs" in note for note in result.notes)


def test_only_the_asked_format_is_written(model: Path, data: Path, tmp_path: Path) -> None:
    recipe = Recipe(to=("tflite",), latency_seconds=0, calib_samples=40, eval_samples=20)
    result = compile_model(str(model), output=tmp_path / "out", data=data, recipe=recipe)
    assert [artifact.name for artifact in result.artifacts] == ["model.tflite"]
    names = {path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")}
    assert names == {"model.tflite", "report.json"}


def test_full_ledger_follows_accuracy_through_the_passes(
    model: Path, data: Path, tmp_path: Path
) -> None:
    recipe = Recipe(latency_seconds=0, calib_samples=40, eval_samples=20, ledger=LedgerDetail.FULL)
    result = compile_model(str(model), output=tmp_path / "out", data=data, recipe=recipe)
    qualities = [entry.quality for entry in result.ledger]
    assert all(quality is not None for quality in qualities)
    assert qualities[0] == qualities[-3]  # canonicalization changes no answer
    assert result.ledger[-1].cost.weight_bytes < 0.3 * result.ledger[0].cost.weight_bytes


def test_keep_float_leaves_a_node_in_float(model: Path, data: Path, tmp_path: Path) -> None:
    names = [node.name for node in onnx.load(model).graph.node if node.op_type == "Gemm"]
    recipe = Recipe(latency_seconds=0, calib_samples=40, eval_samples=100, keep_float=tuple(names))
    result = compile_model(str(model), output=tmp_path / "out", data=data, recipe=recipe)
    kept = {name: reason for name, _, reason in result.summary.kept_float}
    assert kept[names[0]] == "kept in float on request"
    assert result.summary.integer_macs < 1


def test_json_on_stdout_is_the_report(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compile", str(model), "--data", str(data), "-o", str(tmp_path / "out"), "--json"]
    words += ["--latency-seconds", "0.2", "--calib-samples", "40", "--eval-samples", "20"]
    assert main(words) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out/report.json").read_text())
    assert all(artifact["ratio"]["ratio"]["value"] > 0 for artifact in printed["artifacts"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["residual_cnn", "mobilenet", "vit", "gru"])
def test_pytorch_factory_and_onnx_file_give_the_same_accuracy(
    name: str, compiled: CompileModel, repository: Path, data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from compressor.ingest.options import IngestOptions

    folder = repository / "models" / name
    from_file = compiled(str(folder / "model.onnx"), data, scheme=Scheme.NONE)
    from_code = compile_model(
        f"{folder / 'architecture.py'}:build",
        output=tmp_path / "out",
        data=data,
        recipe=Recipe(quantize=Scheme.NONE, latency_seconds=0),
        ingest=IngestOptions(weights=folder / "weights.pt", input_shapes={"image": (1, 1, 28, 28)}),
    )
    for one, other in zip(from_file.artifacts, from_code.artifacts, strict=True):
        assert one.accuracy is not None
        assert other.accuracy is not None
        assert one.accuracy.artifact == other.accuracy.artifact


def test_an_input_called_like_the_labels_is_fed_not_judged(tmp_path: Path) -> None:
    text = """<ir_version: 10, opset_import: ["" : 21]>
        main (float[n, 4] x, float[n, 4] y) => (float[n, 4] sum) { sum = Add (x, y) }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "sum.onnx")
    random = np.random.default_rng(0)
    arrays = {name: random.standard_normal((40, 4), np.float32) for name in "xy"}
    np.savez(tmp_path / "data.npz", **arrays)
    result = compile_model(
        str(tmp_path / "sum.onnx"),
        output=tmp_path / "out",
        data=tmp_path / "data.npz",
        recipe=Recipe(quantize=Scheme.NONE, latency_seconds=0),
    )
    assert result.artifacts[0].accuracy is not None
    assert result.artifacts[0].accuracy.metric == "cosine"
