from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnxruntime as ort
import pytest

from compressor.errors import Code, EdgecError
from runtimes.onnxruntime import OrtSession, open_session
from runtimes.protocol import SessionOptions

MakeOnnx = Callable[[str], Path]


def _options(path: Path, options: SessionOptions) -> ort.SessionOptions:
    session = open_session(path, options)
    assert isinstance(session, OrtSession)
    return session._session.get_session_options()


def test_one_sequential_pool_that_does_not_spin(twice_onnx: Callable[[], Path]) -> None:
    settings = _options(twice_onnx(), SessionOptions(threads=2))
    assert settings.intra_op_num_threads == 2
    assert settings.inter_op_num_threads == 1
    assert settings.execution_mode == ort.ExecutionMode.ORT_SEQUENTIAL
    assert settings.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_optimize_off_disables_every_rewrite(twice_onnx: Callable[[], Path]) -> None:
    levels = ort.GraphOptimizationLevel
    path = twice_onnx()
    off = _options(path, SessionOptions(optimize=False)).graph_optimization_level
    assert off == levels.ORT_DISABLE_ALL
    on = _options(path, SessionOptions()).graph_optimization_level
    assert on == levels.ORT_ENABLE_ALL


def test_dimension_without_a_name_is_symbolic(make_onnx: MakeOnnx) -> None:
    path = make_onnx(
        """<ir_version: 10, opset_import: ["" : 21]>
        g (int64[?, 4] ids) => (int64[?, 4] out) { out = Identity(ids) }"""
    )
    (ids,) = open_session(path, SessionOptions()).interface.inputs
    assert ids.dtype == "int64"
    assert ids.shape == ("ids_dim0", 4)


def test_refuses_inputs_that_numpy_cannot_hold(make_onnx: MakeOnnx) -> None:
    path = make_onnx(
        """<ir_version: 10, opset_import: ["" : 21]>
        g (string[2] words) => (string[2] out) { out = Identity(words) }"""
    )
    with pytest.raises(EdgecError) as caught:
        open_session(path, SessionOptions())
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert "words" in caught.value.what


def test_failure_amid_a_run_is_a_refusal(make_onnx: MakeOnnx) -> None:
    import numpy as np

    path = make_onnx(
        """<ir_version: 10, opset_import: ["" : 21]>
        g (float[2, 3] x, int64[2] shape) => (float[a, b] y) { y = Reshape(x, shape) }"""
    )
    session = open_session(path, SessionOptions())
    with pytest.raises(EdgecError) as caught:
        session.run({"x": np.zeros((2, 3), np.float32), "shape": np.int64([5, 5])})
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert "Reshape" in caught.value.what
