import importlib.util
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest.notes import notes_of
from compressor.ingest.options import IngestOptions, Shape
from compressor.ingest.transformers import accepts, load
from compressor.ir.interface import interface_of
from tests.graphs import run_onnx
from tests.tolerances import float32_network

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WIDTH = 16


def options(weights: Path | None = None, **shapes: Shape) -> IngestOptions:
    return IngestOptions(weights=weights, input_shapes=shapes)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=16,
        initializer_range=0.3,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def copy(bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert, tmp_path / "model"))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def refusal(folder: Path, given: IngestOptions | None = None) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        load(folder, given or options(input_ids=(1, 8)))
    return caught.value


def test_accepts_folders_with_a_configuration(bert: Path, tmp_path: Path) -> None:
    assert accepts(bert)
    assert not accepts(tmp_path)
    assert not accepts(bert / "config.json")


def test_missing_package_names_the_install_command(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "torch" or None)
    error = refusal(bert)
    assert error.code is Code.EXTRA_MISSING
    assert "pip install 'edgec[transformers]'" in error.hint


def test_a_folder_has_its_own_weights(bert: Path, tmp_path: Path) -> None:
    assert refusal(bert, options(tmp_path / "w.safetensors")).code is Code.USAGE


@pytest.mark.slow
def test_text_classifier_answers_as_in_torch(bert: Path) -> None:
    model = load(bert, options(input_ids=(1, 8)))
    assert [str(spec) for spec in interface_of(model).inputs] == [
        "input_ids: int64[batch, 8]",
        "attention_mask: int64[batch, 8]",
    ]
    ids = np.random.default_rng(0).integers(0, 30, (3, 8))
    mask = np.ones_like(ids)
    mask[0, 5:] = 0
    reference = transformers.BertForSequenceClassification.from_pretrained(bert)
    with torch.no_grad():
        logits = reference(torch.from_numpy(ids), torch.from_numpy(mask)).logits.numpy()
    have = run_onnx(model, {"input_ids": ids, "attention_mask": mask})["logits"]
    limit = float32_network(layers=12, terms=2 * WIDTH) * float(abs(logits).max())
    assert abs(have - logits).max() <= limit
    assert notes_of(model) == ()


@pytest.mark.slow
def test_images_take_the_size_of_the_configuration_and_weights_may_be_in_shards(
    tmp_path: Path,
) -> None:
    config = transformers.ViTConfig(
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=WIDTH,
        image_size=32,
    )
    model = transformers.ViTForImageClassification(config)
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    loaded = interface_of(load(tmp_path, options()))
    assert [str(spec) for spec in loaded.inputs] == ["pixel_values: float32[batch, 3, 32, 32] NCHW"]


def _with_code(folder: Path, target: Path) -> None:
    (folder / "net.py").write_text(f"open({str(target)!r}, 'w')")
    reference = {"AutoConfig": "net.Config", "AutoModel": "net.Net"}
    edit(folder, model_type="unknown-net", auto_map=reference)


def _with_pickle(folder: Path, target: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return Path.touch, (target,)

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))


def _with_escape(folder: Path, _: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "out.safetensors")
    index = {"weight_map": {"classifier.bias": "../out.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _truncated(folder: Path, _: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def _of_other_width(folder: Path, _: Path) -> None:
    edit(folder, intermediate_size=64)


def _with_missing_head(folder: Path, _: Path) -> None:
    edit(folder, architectures=["BertForQuestionAnswering"])


def _quantized(folder: Path, _: Path) -> None:
    edit(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})


def _no_class(folder: Path, _: Path) -> None:
    edit(folder, architectures=["os.system"])


def _damaged(folder: Path, _: Path) -> None:
    (folder / "config.json").write_text("{")


HOSTILE: dict[str, tuple[Callable[[Path, Path], None], Code, str]] = {
    "code": (_with_code, Code.MODEL_UNSUPPORTED, "never run"),
    "pickle": (_with_pickle, Code.MODEL_UNSUPPORTED, "pytorch_model.bin"),
    "escape": (_with_escape, Code.MODEL_UNREADABLE, "../out.safetensors"),
    "truncated": (_truncated, Code.WEIGHTS_MISMATCH, "safetensors"),
    "width": (_of_other_width, Code.WEIGHTS_MISMATCH, "BertForSequenceClassification"),
    "head": (_with_missing_head, Code.WEIGHTS_MISMATCH, "qa_outputs"),
    "quantized": (_quantized, Code.MODEL_UNSUPPORTED, "quantized"),
    "class": (_no_class, Code.MODEL_UNSUPPORTED, "os.system"),
    "damaged": (_damaged, Code.MODEL_UNREADABLE, "not JSON"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_plain_data_is_refused(copy: Path, tmp_path: Path, case: str) -> None:
    damage, code, said = HOSTILE[case]
    damage(copy, tmp_path / "pwned")
    error = refusal(copy)
    assert error.code is code
    assert said in str(error)
    assert "Traceback" not in str(error)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.slow
def test_length_of_texts_is_not_guessed(bert: Path) -> None:
    error = refusal(bert, options())
    assert error.code is Code.INPUT_SHAPE_NEEDED
    assert "--input-shape input_ids=1,128" in error.hint
    assert refusal(bert, options(ids=(1, 8))).code is Code.USAGE
