"""EfficientNet-Lite0 from its PyTorch package: the mobile model that users bring."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from compressor.compile import Compilation
from tests.e2e import artifacts

LEAST_AGREEMENT = 97.0
LARGEST_FILE = 5_200_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("efficientnet_lite_pytorch") is None,
        reason="needs the package efficientnet-lite-pytorch",
    ),
]


def test_int8_agrees_with_float_and_is_a_quarter_of_it(
    compiled: Callable[..., Compilation], repository: Path, shared_data: Path
) -> None:
    result = compiled(
        f"{repository / 'examples/efficientnet_lite0.py'}:build",
        shared_data / "sets/natural224_uint8_nhwc.npz",
        feeding="efficientnet",
        input_shapes=(("image", (1, 3, 224, 224)),),
        calib_samples=100,
    )
    for artifact in result.artifacts:
        assert artifact.accuracy is not None
        assert artifact.accuracy.agreement is not None
        assert artifact.accuracy.agreement >= LEAST_AGREEMENT
        assert artifact.size.file_bytes <= LARGEST_FILE
    assert result.artifacts[1].parity[0].mean_lsb <= 1.5
    operators = artifacts.tflite_operators(result.folder / "model.tflite")
    assert operators["TRANSPOSE"] == 1  # the kept interface
    assert operators["PAD"] == 0
