from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from runtimes._samples import run_samples
from runtimes.onnxruntime import open_session
from runtimes.protocol import LocalSession, SessionOptions

MakeOnnx = Callable[[str], Path]
SAMPLES = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
PATH = Path("m.onnx")


def _session(make_onnx: MakeOnnx, signature: str, body: str) -> LocalSession:
    text = f'<ir_version: 10, opset_import: ["" : 21]> g {signature} {{ {body} }}'
    return open_session(make_onnx(text), SessionOptions())


def _twice(make_onnx: MakeOnnx, batch: str) -> LocalSession:
    return _session(make_onnx, f"(float[{batch}, 3] x) => (float[{batch}, 3] y)", "y = Add(x, x)")


@pytest.mark.parametrize("fixed", ["batch", "1", "4", "10", "16"])
@pytest.mark.parametrize("wanted", [1, 3, 32])
def test_every_sample_has_its_own_output(make_onnx: MakeOnnx, fixed: str, wanted: int) -> None:
    outputs = run_samples(_twice(make_onnx, fixed), {"x": SAMPLES}, wanted, PATH)
    assert np.array_equal(outputs["y"], 2 * SAMPLES)


def test_output_without_a_batch_axis_is_stacked(make_onnx: MakeOnnx) -> None:
    body = "y = ReduceMax <keepdims: int = 0> (x)"
    session = _session(make_onnx, "(float[batch, 3] x) => (float y)", body)
    outputs = run_samples(session, {"x": SAMPLES}, 1, PATH)
    assert np.array_equal(outputs["y"], SAMPLES.max(axis=1))
    with pytest.raises(EdgecError) as caught:
        run_samples(session, {"x": SAMPLES}, 5, PATH)
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert "batch=1" in caught.value.expected


def test_scales_computed_at_run_time_see_one_sample(make_onnx: MakeOnnx) -> None:
    """DynamicQuantizeLinear takes its scale from all it is fed: batches would change results."""
    session = _session(
        make_onnx,
        "(float[batch, 3] x) => (float scale)",
        "q, scale, zero = DynamicQuantizeLinear(x)",
    )
    scales = run_samples(session, {"x": SAMPLES}, 1, PATH)["scale"]
    assert len(np.unique(scales)) == len(SAMPLES)


def test_several_inputs_stay_aligned(make_onnx: MakeOnnx) -> None:
    signature = "(float[2, 3] a, float[2, 3] b) => (float[2, 3] y)"
    session = _session(make_onnx, signature, "y = Sub(a, b)")
    other = SAMPLES[::-1]
    outputs = run_samples(session, {"a": SAMPLES, "b": other}, 1, PATH)
    assert np.array_equal(outputs["y"], SAMPLES - other)


@pytest.mark.parametrize(
    "samples",
    [
        {},
        {"x": SAMPLES[:0]},
        {"x": np.float32(1)},
        {"z": SAMPLES},
        {"x": SAMPLES[:, :2]},
        {"x": SAMPLES.astype(np.int8)},
        {"x": SAMPLES, "z": SAMPLES[:5]},
    ],
)
def test_refuses_samples_that_do_not_fit(
    make_onnx: MakeOnnx, samples: dict[str, np.ndarray]
) -> None:
    with pytest.raises(EdgecError) as caught:
        run_samples(_twice(make_onnx, "batch"), samples, 1, PATH)
    assert caught.value.code is Code.RUNTIME_REFUSED
