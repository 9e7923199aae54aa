"""Models on a device behind a real ssh server; what can go wrong, and that nothing stays there."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from runtimes.protocol import SessionOptions
from runtimes.remote.job import Job, JobModel
from runtimes.remote.kinds import ssh
from runtimes.remote.target import is_remote, place_at
from runtimes.targets import open_session
from tests.ssh_server import Server

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
QUICK = {"seconds": 0.2, "min_rounds": 5}
WAIT_S = 20.0


def job_of(path: Path, samples: np.ndarray = X, **settings: object) -> Job:
    models = (JobModel(path=path, samples={"x": samples}, outputs=("y",)),)
    return Job(models=models, **{**QUICK, **settings})  # type: ignore[arg-type]


def nothing_left(server: Server) -> bool:
    deadline = time.monotonic() + WAIT_S
    while list(server.files.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not list(server.files.iterdir())


def python(folder: Path, script: str) -> Path:
    """A program that does something before, or instead of, this Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_says_what_the_device_is(server: Server) -> None:
    facts = place_at(server.target(python=sys.executable)).device.probe()
    assert facts.python.split(".")[0] == "3"
    assert facts.cores == len(os.sched_getaffinity(0))
    assert facts.runtimes == {"ort": "onnxruntime", "litert": "ai_edge_litert"}
    assert facts.memory_bytes > 1 << 28


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
def test_outputs_and_times_come_back(
    suffix: str, server: Server, twice: Callable[[str], Path]
) -> None:
    run = place_at(server.target(python=sys.executable)).device.run(job_of(twice(suffix)))
    [result] = run.results
    assert np.array_equal(result.outputs["y"], 2 * X)
    assert len(result.elapsed_ns) >= 5
    assert result.load_ns > 0
    assert result.first_ns > 0
    assert run.peak_bytes > 1 << 24
    assert "numpy" in run.versions
    assert nothing_left(server)


@pytest.mark.slow
def test_models_are_timed_in_the_same_rounds(server: Server, twice: Callable[[str], Path]) -> None:
    models = tuple(JobModel(path=twice(s), samples={"x": X}) for s in (".onnx", ".tflite"))
    run = place_at(server.target(python=sys.executable)).device.run(Job(models=models, **QUICK))
    first, second = run.results
    assert len(first.elapsed_ns) == len(second.elapsed_ns)
    assert np.array_equal(first.outputs["0"], second.outputs["0"])


def test_keyword_spotting_in_integers_is_as_here(server: Server, shared_data: Path) -> None:
    path = shared_data / "models" / "mlperf_dscnn_kws" / "reference_int8.tflite"
    local = open_session("litert", path, SessionOptions())
    (x,), (y,) = local.interface.inputs, local.interface.outputs
    fed = np.random.default_rng(1).integers(-128, 128, (8, *x.concrete()[1:]), dtype=np.int8)
    model = JobModel(path=path, samples={x.name: fed}, outputs=(y.name,))
    run = place_at(server.target(python=sys.executable)).device.run(Job(models=(model,), **QUICK))
    want = np.concatenate([local.run({x.name: row[None]})[y.name] for row in fed])
    assert np.array_equal(run.results[0].outputs[y.name], want)
    assert nothing_left(server)


@pytest.mark.slow
def test_wheels_serve_where_the_device_has_no_packages(
    server: Server, twice: Callable[[str], Path], tmp_path: Path
) -> None:
    """A Python without site packages gets a stand-in for ONNX Runtime from a wheel."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    source = tmp_path / "source"
    (source / "onnxruntime").mkdir(parents=True)
    (source / "onnxruntime" / "__init__.py").write_text("raise ImportError('the stand-in')")
    made = shutil.make_archive(str(wheels / "onnxruntime-1-py3-none-any"), "zip", source)
    Path(made).rename(made.replace(".zip", ".whl"))
    bare = python(tmp_path, f'exec {sys.executable} -S "$@"')
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python=bare, wheels=wheels)).device.run(job_of(twice(".onnx")))
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
    assert "the stand-in" in caught.value.what
    assert nothing_left(server)


@pytest.mark.parametrize(
    ("key", "known", "advice"),
    [("other", "known_hosts", "ssh-copy-id"), ("key", "strangers", "fingerprint")],
)
def test_strangers_are_refused_on_both_sides(
    key: str, known: str, advice: str, server: Server
) -> None:
    config = server.client(f"client-{key}-{known}", key=key, known=known)
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(config=config)).device.probe()
    assert caught.value.code is Code.DEVICE_UNREACHABLE
    assert advice in caught.value.hint


def test_nobody_listens(server: Server) -> None:
    text = server.target().replace(f":{server.port},", ":1,")
    with pytest.raises(EdgecError) as caught:
        place_at(text).device.probe()
    assert caught.value.code is Code.DEVICE_UNREACHABLE


def test_a_device_without_python(server: Server) -> None:
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python="/no/such/python")).device.probe()
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
    assert "python=" in caught.value.hint


@pytest.mark.slow
def test_a_device_without_a_runtime(
    server: Server, twice: Callable[[str], Path], tmp_path: Path
) -> None:
    bare = python(tmp_path, f'exec {sys.executable} -S "$@"')
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python=bare)).device.run(job_of(twice(".onnx")))
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
    assert "wheels=" in caught.value.hint


@pytest.mark.slow
def test_a_full_disk(server: Server, twice: Callable[[str], Path], tmp_path: Path) -> None:
    """A bound on the size of files ends a write as a full disk does."""
    path = twice(".onnx")
    small = python(tmp_path, f'ulimit -f 0\nexec {sys.executable} "$@"')
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python=small)).device.run(job_of(path))
    assert caught.value.code is Code.DISK_FULL
    assert nothing_left(server)


@pytest.mark.slow
def test_a_folder_that_cannot_be_written(server: Server, twice: Callable[[str], Path]) -> None:
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python=sys.executable, folder="/proc")).device.run(
            job_of(twice(".onnx"))
        )
    assert caught.value.code is Code.DEVICE_UNREACHABLE


@pytest.mark.slow
def test_a_model_that_the_runtime_refuses(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no model" * 100)
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python=sys.executable)).device.run(job_of(path))
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert "m.onnx" in caught.value.where
    assert nothing_left(server)


@pytest.mark.slow
def test_a_runtime_that_crashes(
    server: Server, twice: Callable[[str], Path], tmp_path: Path
) -> None:
    package = tmp_path / "packages" / "onnxruntime"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    crashing = python(tmp_path, f'PYTHONPATH={package.parent} exec {sys.executable} "$@"')
    with pytest.raises(EdgecError) as caught:
        place_at(server.target(python=crashing)).device.run(job_of(twice(".onnx")))
    assert caught.value.code is Code.RUNTIME_CRASHED
    assert "signal 11" in caught.value.what
    assert nothing_left(server)


@pytest.mark.slow
def test_a_dropped_connection_leaves_nothing_behind(
    server: Server, twice: Callable[[str], Path]
) -> None:
    caught: list[EdgecError] = []
    device = place_at(server.target(python=sys.executable)).device

    def bench() -> None:
        try:
            device.run(job_of(twice(".onnx"), seconds=60.0))
        except EdgecError as error:
            caught.append(error)

    thread = threading.Thread(target=bench)
    thread.start()
    deadline = time.monotonic() + WAIT_S
    while not list(server.files.glob("*/*.onnx")) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in server.sessions():
        os.kill(pid, signal.SIGKILL)
    thread.join(WAIT_S)
    assert [error.code for error in caught] == [Code.DEVICE_LOST]
    assert nothing_left(server)


@pytest.mark.slow
def test_greetings_of_the_shell_are_no_answers(
    server: Server, twice: Callable[[str], Path], tmp_path: Path
) -> None:
    chatty = python(tmp_path, f'echo Welcome; exec {sys.executable} "$@"')
    run = place_at(server.target(python=chatty)).device.run(job_of(twice(".onnx")))
    assert np.array_equal(run.results[0].outputs["y"], 2 * X)


@pytest.mark.parametrize(
    "text", ["ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://u@h:port"]
)
def test_what_is_no_address(text: str) -> None:
    assert is_remote(text)
    with pytest.raises(EdgecError) as caught:
        place_at(text)
    assert caught.value.code is Code.TARGET_UNKNOWN


def test_unknown_options_are_refused() -> None:
    with pytest.raises(EdgecError) as caught:
        place_at("ssh://pi@raspberry,pyton=python3")
    assert caught.value.code is Code.RECIPE_INVALID
    assert "python" in caught.value.expected


def test_options_of_sessions_are_told_from_the_devices() -> None:
    place = place_at("ssh://pi@raspberry:2222,threads=4,python=python3.11,optimize=false")
    assert place.options == SessionOptions(threads=4, optimize=False)
    assert place.runtimes[0] == "ort"
    with pytest.raises(EdgecError) as caught:
        place_at("ssh://pi@raspberry,threads=none")
    assert caught.value.code is Code.RECIPE_INVALID


def test_host_keys_are_checked() -> None:
    """No setting of ours weakens what the user's configuration says."""
    command = " ".join(ssh.SshDevice("t", {"user": None, "host": "h", "port": None}, {})._command())
    assert "StrictHostKeyChecking" not in command
    assert "UserKnownHostsFile" not in command
    assert "BatchMode=yes" in command
