"""EfficientNet-Lite0 from its PyTorch package: the mobile model that users bring."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from compressor.analyses.quantized import is_quantized
from compressor.compile import Compilation
from compressor.source import read_source
from exporters import tflite
from exporters.protocol import ExportOptions
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
    read_back = read_source(str(result.folder / "model.tflite")).model
    assert is_quantized(read_back)
    assert [node.op_type for node in read_back.graph].count("Transpose") == 0
    again = tflite.write(read_back, ExportOptions())
    assert grids_of(again) == grids_of((result.folder / "model.tflite").read_bytes())


def grids_of(content: bytes) -> set[tuple[bytes, bytes]]:
    """Return scales and zero points of all tensors of a TFLite file."""
    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    found = [t.quantization for t in graph.tensors if t.quantization is not None]
    return {(q.scale.tobytes(), q.zeroPoint.tobytes()) for q in found if q.scale is not None}
