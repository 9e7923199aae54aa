"""A stand-in for adb: its "device" is a folder here, its shell the one of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compressor.benchmark import BenchOptions, run_benchmark
from compressor.errors import Code, EdgecError
from runtimes.remote.job import Job, JobModel
from runtimes.remote.target import is_remote, place_at
from tests.runtimes.remote import benchmark_logs as logs

X = np.zeros((1, 3), np.float32)

# `adb -s SERIAL push FILE PLACE` copies, `adb -s SERIAL shell COMMAND` runs; some serials fail as
# adb does: OFFLINE, FULL, and STRANGE, which has not accepted our key.
ADB = """#!/bin/sh
echo "$@" >> {folder}/calls
[ "$2" = OFFLINE ] && {{ echo "error: device offline" >&2; exit 1; }}
[ "$2" = STRANGE ] && {{ echo "error: device unauthorized." >&2; exit 1; }}
case "$3" in
push)
  [ "$2" = FULL ] && {{
    echo "adb: error: failed to copy '$4' to '$5': remote write failed:" \\
      "No space left on device" >&2; exit 1; }}
  cp "$4" "$5" ;;
shell) shift 3; exec sh -c "$*" ;;
*) exit 2 ;;
esac
"""
GETPROP = """#!/bin/sh
case "$1" in
ro.product.manufacturer) echo Maker ;;
ro.product.model) echo "Phone 8" ;;
ro.product.cpu.abi) echo arm64-v8a ;;
ro.build.version.release) echo 14 ;;
*) echo ;;
esac
"""


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that makes the target of a device whose program prints a text."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "device").mkdir()
    for name, text in (("adb", ADB.format(folder=tmp_path)), ("getprop", GETPROP)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    def make(text: str, status: int = 0, serial: str = "R58M") -> str:
        (tmp_path / "log").write_text(text)
        program = tmp_path / "benchmark_model"
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/log\nexit {status}\n")
        return f"adb:{serial},benchmark={program},folder={tmp_path / 'device'}"

    return make


def job_of(path: Path) -> Job:
    return Job(models=(JobModel(path=path, samples={"x": X}),), seconds=0.1, threads=4)


def test_says_what_the_device_is(phone: Callable[..., str]) -> None:
    facts = place_at(phone(logs.RECENT)).device.probe()
    assert facts.cpu == "Maker Phone 8"
    assert (facts.machine, facts.system) == ("arm64-v8a", "Android 14")
    assert facts.memory_bytes > 1 << 20


def test_the_model_travels_and_nothing_stays(
    phone: Callable[..., str], twice: Callable[[str], Path], tmp_path: Path
) -> None:
    run = place_at(phone(logs.RECENT)).device.run(job_of(twice(".tflite")))
    [result] = run.results
    assert result.summary["avg"] == 12345.6
    assert list((tmp_path / "device").iterdir()) == []
    calls = (tmp_path / "calls").read_text()
    assert "--num_threads=4" in calls
    assert "--use_xnnpack=true" in calls
    assert all(line.startswith("-s R58M ") for line in calls.splitlines() if "push" in line)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        (logs.NO_DELEGATE, 1, Code.RUNTIME_REFUSED),
        (logs.WRONG_PROCESSOR, 126, Code.RUNTIME_UNAVAILABLE),
        (logs.CRASHED, 139, Code.RUNTIME_CRASHED),
        (logs.CUT_SHORT, 0, Code.RUNTIME_REFUSED),
    ],
)
def test_a_run_that_fails_leaves_nothing_either(
    text: str,
    status: int,
    code: Code,
    phone: Callable[..., str],
    twice: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    with pytest.raises(EdgecError) as caught:
        place_at(phone(text, status)).device.run(job_of(twice(".tflite")))
    assert caught.value.code is code
    assert list((tmp_path / "device").iterdir()) == []


@pytest.mark.parametrize(
    ("serial", "code"),
    [
        ("OFFLINE", Code.DEVICE_UNREACHABLE),
        ("STRANGE", Code.DEVICE_UNREACHABLE),
        ("FULL", Code.DISK_FULL),
    ],
)
def test_what_adb_itself_reports(
    serial: str,
    code: Code,
    phone: Callable[..., str],
    twice: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    with pytest.raises(EdgecError) as caught:
        place_at(phone(logs.RECENT, serial=serial)).device.run(job_of(twice(".tflite")))
    assert caught.value.code is code
    assert caught.value.hint
    assert list((tmp_path / "device").iterdir()) == []


def test_other_formats_are_refused(phone: Callable[..., str], twice: Callable[[str], Path]) -> None:
    with pytest.raises(EdgecError) as caught:
        place_at(phone(logs.RECENT)).device.run(job_of(twice(".onnx")))
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert ".tflite" in caught.value.expected


def test_without_the_program_it_says_what_to_get(phone: Callable[..., str]) -> None:
    text = phone(logs.RECENT)
    for broken in (text.partition(",")[0], text.replace("benchmark_model", "absent")):
        with pytest.raises(EdgecError) as caught:
            place_at(broken)
        assert caught.value.code is Code.RUNTIME_UNAVAILABLE
        assert "benchmark_model" in caught.value.hint


def test_strange_serials_are_no_targets(phone: Callable[..., str]) -> None:
    for serial in ("", "-e", "a b", "x;reboot"):
        assert is_remote(f"adb:{serial}")
        with pytest.raises(EdgecError) as caught:
            place_at(phone(logs.RECENT, serial=serial))
        assert caught.value.code is Code.TARGET_UNKNOWN


@pytest.mark.slow
def test_in_the_table_of_a_benchmark(phone: Callable[..., str], repository: Path) -> None:
    """Float ONNX is written as TFLite for a phone; a mean with its error stands for the median."""
    model = str(repository / "models" / "residual_cnn" / "model.onnx")
    found = run_benchmark((model,), (phone(logs.RECENT),), options=BenchOptions(seconds=0.1))
    [cell] = found.cells
    assert cell.latency is not None
    assert cell.latency.median_ns.value == 12345.6e3
    assert cell.latency.median_ns.relative_width == pytest.approx(2 * 1.96 * 20 / 12345.6)
    assert cell.percentiles_ms == {"p50": 12.34, "p95": 12.8}
    assert cell.device is not None
    assert cell.device["cpu"] == "Maker Phone 8"
