"""Files in OpenVINO, as ONNX Runtime answers."""

from pathlib import Path

import numpy as np
import pytest

from runtimes.protocol import SessionOptions
from runtimes.targets import open_session
from tests.runtimes.other_runtimes import assert_float_model, assert_int8_model, require


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "residual_cnn"])
def test_float_models(name: str, repository: Path) -> None:
    require("openvino")
    assert_float_model("openvino", repository / "models" / name / "model.onnx")


def test_int8_models(tmp_path: Path) -> None:
    require("openvino")
    assert_int8_model("openvino", tmp_path)


def test_integers_of_a_tflite_file(shared_data: Path) -> None:
    require("openvino")
    path = shared_data / "models" / "mlperf_dscnn_kws" / "reference_int8.tflite"
    ours, theirs = (open_session(t, path, SessionOptions()) for t in ("openvino", "litert"))
    (x,) = ours.interface.inputs
    fed = np.random.default_rng(0).integers(-128, 128, x.concrete(), dtype=np.int8)
    (have,), (want,) = ours.run({x.name: fed}).values(), theirs.run({x.name: fed}).values()
    assert have.dtype == want.dtype == np.int8
    assert have.argmax() == want.argmax()
