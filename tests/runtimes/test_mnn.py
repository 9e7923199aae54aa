"""Files in MNN, as ONNX Runtime answers."""

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session
from tests.runtimes.other_runtimes import assert_float_model, int8_model, require


@pytest.mark.parametrize("name", ["mobilenet", "residual_cnn"])
def test_float_models(name: str, repository: Path) -> None:
    require("mnn")
    assert_float_model("mnn", repository / "models" / name / "model.onnx")


def test_integer_files_are_refused_though_the_converter_aborts_on_them(tmp_path: Path) -> None:
    require("mnn")
    with pytest.raises(EdgecError) as caught:
        open_session("mnn", int8_model(tmp_path)[1], SessionOptions())
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert "converter" in caught.value.what
