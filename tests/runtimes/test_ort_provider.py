"""Execution providers are named where they are missing, and never replaced silently."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest

from compressor.errors import Code, EdgecError
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session, runtime

TARGETS = {
    "ort-cuda": "CUDAExecutionProvider",
    "ort-tensorrt": "TensorrtExecutionProvider",
    "ort-openvino": "OpenVINOExecutionProvider",
    "ort-xnnpack": "XnnpackExecutionProvider",
}
HERE = onnxruntime.get_available_providers()


@pytest.mark.parametrize(("target", "provider"), TARGETS.items())
def test_says_what_to_install(target: str, provider: str) -> None:
    reason = runtime(target).available()
    assert (reason is None) is (provider in HERE)
    assert reason is None or provider in reason


@pytest.mark.parametrize(
    "target", [target for target, provider in TARGETS.items() if provider not in HERE]
)
def test_a_provider_that_does_not_start_is_no_reason_to_run_without_it(
    target: str, twice: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*TARGETS.values()])
    assert runtime(target).available() is None
    with pytest.raises(EdgecError) as caught:
        open_session(target, twice(".onnx"), SessionOptions())
    assert caught.value.code in (Code.RUNTIME_UNAVAILABLE, Code.RUNTIME_REFUSED)
    assert "ExecutionProvider" in caught.value.what or "provider" in caught.value.what.lower()


def test_the_usual_target_has_its_own_kernels_only(twice: Callable[[str], Path]) -> None:
    session = open_session("ort", twice(".onnx"), SessionOptions())
    assert session.providers == ["CPUExecutionProvider"]  # type: ignore[attr-defined]
