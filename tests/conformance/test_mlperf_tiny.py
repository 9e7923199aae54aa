"""MLPerf Tiny's models in every form they are published in: nothing is lost on the way in.

`tests/compressor/ingest` has their Keras and TFLite forms.
"""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from compressor.ingest.options import IngestOptions
from compressor.source import read_source
from exporters import onnx, tflite
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from tests.graphs import gaussian, run_onnx
from tests.tolerances import SAME_ACCURACY_POINTS, float32_network

CIFAR, SPEECH = "cifar10_exact_uint8_nhwc", "speech_commands12_mfcc_nhwc"
RESNET, DSCNN, AUTOENCODER = "mlperf_resnet8_cifar10", "mlperf_dscnn_kws", "mlperf_ae_toycar"
MFCC = IngestOptions(input_shapes={"mfcc": (1, 1, 49, 10)})

pytestmark = pytest.mark.slow


def accuracy_of(model: ir.Model, folder: Path, data: str) -> float:
    """Return the percentage of samples that *model*, which takes NCHW, puts into their class."""
    with np.load(folder / "sets" / f"{data}.npz") as archive:
        x, labels = archive["x"].astype(np.float32), archive["y"].ravel()
    session = onnxruntime.InferenceSession(
        onnx.write(model, ExportOptions()), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    answers = session.run(None, {name: np.ascontiguousarray(x.transpose(0, 3, 1, 2))})[0]
    return 100 * float((answers.argmax(axis=1) == labels).mean())


@pytest.mark.parametrize(
    ("folder", "data", "published"), [(RESNET, CIFAR, 87.71), (DSCNN, SPEECH, 92.32)]
)
def test_onnx_keeps_its_accuracy(
    folder: str, data: str, published: float, shared_data: Path
) -> None:
    source = read_source(str(shared_data / "models" / folder / "model.onnx"))
    found = accuracy_of(source.model, shared_data, data)
    assert found == pytest.approx(published, abs=SAME_ACCURACY_POINTS)


def test_weights_of_pytorch_keep_their_accuracy(shared_data: Path) -> None:
    pytest.importorskip("torch")
    options = IngestOptions(
        weights=shared_data / "models" / DSCNN / "state_dict.pt", input_shapes=MFCC.input_shapes
    )
    source = read_source(f"{Path(__file__).with_name('dscnn.py')}:build", options)
    found = accuracy_of(source.model, shared_data, SPEECH)
    assert found == pytest.approx(92.18, abs=SAME_ACCURACY_POINTS)  # the SavedModel's weights


@pytest.mark.parametrize("form", ["model.onnx", "model_float.tflite"])
def test_autoencoder_restores_the_same_from_every_form(
    form: str, shared_data: Path, tmp_path: Path
) -> None:
    """It has no labels here: each form is held against the twin that LiteRT runs.

    The Keras file is of another training run.
    """
    folder = shared_data / "models" / AUTOENCODER
    x = gaussian(16, 640, scale=5.0)
    with Worker() as worker:
        twin = worker.open("litert", folder / "model_float.tflite")
        [want] = twin.run_many({twin.interface.inputs[0].name: x}).values()
        source = read_source(str(folder / form))
        name = source.interface.inputs[0].name
        [in_onnx] = run_onnx(onnx.write(source.model, ExportOptions()), {name: x}).values()
        written = tmp_path / "again.tflite"
        written.write_bytes(tflite.write(source.model, ExportOptions()))
        [in_tflite] = worker.open("litert", written).run_many({name: x}).values()
    limit = float32_network(layers=10, terms=640) * float(np.abs(want).max())
    np.testing.assert_allclose(in_onnx, want, rtol=0, atol=limit)
    np.testing.assert_allclose(in_tflite, want, rtol=0, atol=limit)
