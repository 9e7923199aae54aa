"""What a device answers is not trusted."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from runtimes.remote.job import DeviceFacts, Job, JobModel
from runtimes.remote.messages import facts_from, raise_for, run_from

DEVICE = DeviceFacts(cpu="", machine="", system="", cores=1, memory_bytes=0)
JOB = Job(models=(JobModel(path=Path("m.onnx"), samples={}, outputs=("y",)),))


def answer(**output: object) -> dict[str, object]:
    data = base64.b64encode(np.arange(6, dtype="<f4").tobytes()).decode()
    packed = {"dtype": "<f4", "shape": [2, 3], "data": data, **output}
    result = {"load_ns": 1, "first_ns": 2, "repeats": 3, "elapsed_ns": [4], "outputs": [packed]}
    return {
        "results": [result],
        "peak_bytes": 5,
        "celsius": [None, 41.5],
        "megahertz": [],
        "versions": {"numpy": "2"},
    }


def test_a_good_answer() -> None:
    run = run_from(answer(), "ssh://h", DEVICE, JOB)
    assert np.array_equal(run.results[0].outputs["y"], np.arange(6).reshape(2, 3))
    assert run.celsius == (41.5,)


@pytest.mark.parametrize(
    "bad",
    [
        {"dtype": "O"},
        {"dtype": "no type"},
        {"shape": [2, 4]},
        {"shape": [-2, -3]},
        {"data": "?"},
        {"data": 3},
    ],
)
def test_damaged_outputs_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(EdgecError) as caught:
        run_from(answer(**bad), "ssh://h", DEVICE, JOB)
    assert caught.value.code is Code.DEVICE_LOST


@pytest.mark.parametrize("missing", ["results", "peak_bytes", "celsius", "versions"])
def test_missing_parts_are_refused(missing: str) -> None:
    whole = answer()
    del whole[missing]
    with pytest.raises(EdgecError) as caught:
        run_from(whole, "ssh://h", DEVICE, JOB)
    assert caught.value.code is Code.DEVICE_LOST


def test_results_for_other_models_are_refused() -> None:
    with pytest.raises(EdgecError) as caught:
        run_from({**answer(), "results": []}, "ssh://h", DEVICE, JOB)
    assert caught.value.code is Code.DEVICE_LOST


def test_facts_of_another_form_are_refused() -> None:
    with pytest.raises(EdgecError) as caught:
        facts_from({"hello": "world"})
    assert caught.value.code is Code.DEVICE_LOST


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("disk", Code.DISK_FULL),
        ("runtime", Code.RUNTIME_UNAVAILABLE),
        ("refused", Code.RUNTIME_REFUSED),
        ("crashed", Code.RUNTIME_CRASHED),
        ("something new", Code.RUNTIME_CRASHED),
    ],
)
def test_reported_failures_have_codes(kind: str, code: Code) -> None:
    with pytest.raises(EdgecError) as caught:
        raise_for({"error": kind, "what": "so it is"}, "ssh://h", JOB)
    assert caught.value.code is code
    assert "so it is" in caught.value.what
    assert "m.onnx" in caught.value.where
