"""MLPerf Tiny's own TFLite files: accuracy as published, and integers that survive."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from compressor.source import Source, read_source
from exporters import onnx, tflite
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from tests.graphs import gaussian
from tests.tolerances import QUANTIZED_ACCURACY_POINTS

CIFAR, SPEECH = "cifar10_exact_uint8_nhwc", "speech_commands12_mfcc_nhwc"
RESNET, DSCNN, TOYCAR = "mlperf_resnet8_cifar10", "mlperf_dscnn_kws", "mlperf_ae_toycar"
SAMPLES = 400

Array = np.ndarray


def samples(folder: Path, name: str) -> tuple[Array, Array]:
    with np.load(folder / "sets" / f"{name}.npz") as archive:
        return archive["x"], archive["y"]


def fed(source: Source, x: Array) -> Array:
    """Return *x* as the model takes it: as integers where its input has a scale."""
    params = source.interface.inputs[0].quantization
    return x.astype(np.float32) if params is None else params.quantize(x)


def answers_in_onnx_runtime(content: bytes, x: Array) -> Array:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    return np.concatenate([session.run(None, {given.name: one[None]})[0] for one in x])


def answers_in_litert(path: Path, name: str, x: Array) -> Array:
    with Worker() as worker:
        session = worker.open("litert", path)
        return next(iter(session.run_many({name: x}).values()))


def accuracy(answers: Array, labels: Array) -> float:
    return 100 * float((answers.argmax(axis=1) == labels[: len(answers)]).mean())


@pytest.mark.parametrize(
    ("model", "data", "published"), [(RESNET, CIFAR, 87.71), (DSCNN, SPEECH, 92.32)]
)
def test_float_accuracy_is_that_of_the_onnx_twin(
    model: str, data: str, published: float, shared_data: Path
) -> None:
    source = read_source(str(shared_data / "models" / model / "model_float.tflite"))
    x, y = samples(shared_data, data)
    found = answers_in_onnx_runtime(onnx.write(source.model, ExportOptions()), fed(source, x))
    assert round(accuracy(found, y), 2) == published


@pytest.mark.parametrize(
    ("model", "file", "data"),
    [
        (RESNET, "reference_int8", CIFAR),
        (DSCNN, "reference_int8", SPEECH),
        (DSCNN, "reference_int8_weights_float_io", SPEECH),
    ],
)
def test_integer_files_keep_their_accuracy_in_onnx(
    model: str, file: str, data: str, shared_data: Path
) -> None:
    path = shared_data / "models" / model / f"{file}.tflite"
    source = read_source(str(path))
    x, y = samples(shared_data, data)
    given = fed(source, x)
    want = answers_in_litert(path, source.interface.inputs[0].name, given)
    found = answers_in_onnx_runtime(onnx.write(source.model, ExportOptions()), given)
    assert abs(accuracy(found, y) - accuracy(want, y)) <= QUANTIZED_ACCURACY_POINTS


@pytest.mark.parametrize(("model", "data"), [(RESNET, CIFAR), (DSCNN, SPEECH), (TOYCAR, "")])
def test_integer_files_are_written_again_with_their_scales(
    model: str, data: str, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "models" / model / "reference_int8.tflite"
    source = read_source(str(path))
    x = samples(shared_data, data)[0] if data else 5 * np.abs(gaussian(SAMPLES, 640))
    given, name = fed(source, x[:SAMPLES]), source.interface.inputs[0].name
    again = tmp_path / "again.tflite"
    again.write_bytes(tflite.write(source.model, ExportOptions()))
    want, written = (answers_in_litert(file, name, given) for file in (path, again))
    assert np.abs(written.astype(int) - want.astype(int)).max() <= 1
    before, after = scales_of(source), scales_of(read_source(str(again)))
    assert set(after.values()) == set(before.values())
    common = before.keys() & after.keys()
    assert len(common) > len(before) / 2
    assert all(after[name] == before[name] for name in common)


def scales_of(source: Source) -> dict[str, QuantParams]:
    """Return the parameters of every tensor that a node computes, by name."""
    values = [value for node in source.model.graph for value in node.outputs]
    return {v.name or "": params for v in values if (params := quant_of(v)) is not None}


@pytest.mark.parametrize("model", [RESNET, DSCNN])
def test_a_network_of_convolutions_has_one_transpose(model: str, shared_data: Path) -> None:
    for name in ("model_float", "reference_int8"):
        source = read_source(str(shared_data / "models" / model / f"{name}.tflite"))
        assert sum(node.op_type == "Transpose" for node in source.model.graph) == 1
        assert source.interface.inputs[0].layout.value == "NHWC"
