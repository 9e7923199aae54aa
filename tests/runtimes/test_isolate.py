from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import runtimes.isolate
from compressor.errors import Code, EdgecError
from runtimes.isolate import RemoteSession, Worker
from runtimes.protocol import SessionOptions

Make = Callable[..., Path]
ROOT = Path(runtimes.isolate.__file__).parent.parent
X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(timeout_s=30) as worker:
        yield worker


@pytest.fixture
def session(worker: Worker, twice_onnx: Make) -> RemoteSession:
    return worker.open("ort", twice_onnx())


def _gone(pid: int) -> bool:
    """Whether no such process is left, reaped ones included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _ended(pid: int) -> bool:
    """Whether the process has ended, be it that its new parent has not reaped it."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_sessions_of_both_runtimes_share_a_child(
    worker: Worker, twice_onnx: Make, twice_tflite: Make
) -> None:
    sessions = [worker.open("ort", twice_onnx()), worker.open("litert", twice_tflite())]
    for session in sessions:
        assert np.array_equal(session.run({"x": X})["y"], 2 * X)
    assert [session.interface.inputs[0].shape[1] for session in sessions] == [3, 3]
    assert [session.runtime for session in sessions] == ["ort", "litert"]


def test_options_reach_the_runtime(worker: Worker, twice_tflite: Make) -> None:
    options = SessionOptions(threads=2, optimize=False)
    session = worker.open("litert", twice_tflite(), options)
    assert session.options == options
    assert np.array_equal(session.run({"x": X})["y"], 2 * X)


def test_many_samples_travel_in_pieces(
    session: RemoteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtimes.isolate, "_CHUNK_BYTES", 30 * X[0].nbytes)
    samples = np.arange(300, dtype=np.float32).reshape(100, 3)
    seen: list[tuple[int, int]] = []
    outputs = session.run_many(
        {"x": samples}, batch=8, on_progress=lambda done, total: seen.append((done, total))
    )
    assert np.array_equal(outputs["y"], 2 * samples)
    assert seen == [(24, 100), (48, 100), (72, 100), (96, 100), (100, 100)]


def test_arrays_larger_than_any_pipe_pass(worker: Worker, twice_onnx: Make) -> None:
    big = np.ones((1, 3_000_000), np.float32)
    session = worker.open("ort", twice_onnx(("batch", 3_000_000)))
    assert np.array_equal(session.run({"x": big})["y"], 2 * big)


def test_times_sessions_against_each_other(
    worker: Worker, twice_onnx: Make, twice_tflite: Make
) -> None:
    entries = [
        (worker.open("ort", twice_onnx()), {"x": X}),
        (worker.open("litert", twice_tflite()), {"x": X[:1]}),
    ]
    timer = worker.time_interleaved(entries, seed=0, warmup_s=0.05)
    elapsed = timer.rounds(7)
    assert elapsed.shape == (7, 2)
    assert (elapsed > 0).all()
    assert len(timer.repeats) == 2
    assert timer.round_ns > 0


def test_timing_refuses_wrong_feeds(worker: Worker, session: RemoteSession) -> None:
    with pytest.raises(EdgecError) as caught:
        worker.time_interleaved([(session, {"x": X[0]})], seed=0, warmup_s=0.05)
    assert caught.value.code is Code.RUNTIME_REFUSED


@pytest.mark.parametrize(
    "feeds",
    [{}, {"z": X}, {"x": X.astype(np.int64)}, {"x": X[0]}, {"x": np.array(["a"], dtype=object)}],
)
def test_wrong_feeds_are_refused_and_harm_nothing(
    session: RemoteSession, feeds: dict[str, np.ndarray]
) -> None:
    with pytest.raises(EdgecError) as caught:
        session.run(feeds)
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert np.array_equal(session.run({"x": X})["y"], 2 * X)


def test_errors_of_opening_keep_their_code(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    cases = [
        ("ort", "absent.onnx", Code.MODEL_NOT_FOUND),
        ("ort", "bad.onnx", Code.RUNTIME_REFUSED),
        ("ortt", "bad.onnx", Code.TARGET_UNKNOWN),
    ]
    for runtime, name, code in cases:
        with pytest.raises(EdgecError) as caught:
            worker.open(runtime, tmp_path / name)
        assert caught.value.code is code


def test_closed_session_is_an_error_not_a_crash(session: RemoteSession, worker: Worker) -> None:
    session.close()
    with pytest.raises(EdgecError) as caught:
        session.run({"x": X})
    assert caught.value.code is not Code.RUNTIME_CRASHED
    assert worker.peak_bytes() > 0


def test_truncated_files_end_in_a_coded_error(twice_tflite: Make, tmp_path: Path) -> None:
    whole = twice_tflite().read_bytes()
    cut = tmp_path / "cut.tflite"
    for size in range(0, len(whole), len(whole) // 12):
        cut.write_bytes(whole[:size])
        with Worker(timeout_s=30) as worker, pytest.raises(EdgecError) as caught:
            worker.open("litert", cut).run({"x": X})
        assert caught.value.code in {Code.RUNTIME_REFUSED, Code.RUNTIME_CRASHED}


def test_abort_while_loading_names_signal_and_file(
    worker: Worker, aborts_when_loaded: Path
) -> None:
    with pytest.raises(EdgecError) as caught:
        worker.open("litert", aborts_when_loaded, SessionOptions(optimize=False))
    assert caught.value.code is Code.RUNTIME_CRASHED
    assert caught.value.what == "litert was killed by SIGABRT while loading"
    assert caught.value.where == str(aborts_when_loaded)


def test_abort_while_running_names_signal_and_file(worker: Worker, aborts_when_run: Path) -> None:
    session = worker.open("litert", aborts_when_run, SessionOptions(optimize=False))
    with pytest.raises(EdgecError) as caught:
        session.run({"x": np.ones((1,) * 9, np.int32)})
    assert caught.value.code is Code.RUNTIME_CRASHED
    assert caught.value.what == "litert was killed by SIGABRT while running"
    assert caught.value.where == str(aborts_when_run)


def test_killed_amid_a_run(worker: Worker, twice_onnx: Make) -> None:
    session = worker.open("ort", twice_onnx(("batch", 100)))
    samples = np.zeros((2_000_000, 100), np.float32)
    threading.Timer(0.3, os.kill, (worker.pid, signal.SIGKILL)).start()
    with pytest.raises(EdgecError) as caught:
        session.run_many({"x": samples})
    assert caught.value.code is Code.RUNTIME_CRASHED
    assert "SIGKILL" in caught.value.what
    assert _gone(worker.pid)


def test_dead_child_fails_every_later_request(worker: Worker, session: RemoteSession) -> None:
    os.kill(worker.pid, signal.SIGSEGV)
    for _ in range(2):
        with pytest.raises(EdgecError) as caught:
            session.run({"x": X})
        assert caught.value.code is Code.RUNTIME_CRASHED
        assert "SIGSEGV" in caught.value.what


def test_hang_is_bounded(twice_onnx: Make) -> None:
    bound_s = 6  # long enough to start and load on a loaded machine
    with Worker(timeout_s=bound_s) as worker:
        session = worker.open("ort", twice_onnx())
        os.kill(worker.pid, signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(EdgecError) as caught:
            session.run({"x": X})
        assert time.monotonic() - start < 5 * bound_s
        assert caught.value.code is Code.RUNTIME_CRASHED
        assert f"did not answer within {bound_s} s" in caught.value.what
        assert _gone(worker.pid)


def test_leaving_the_block_ends_the_child(twice_onnx: Make) -> None:
    with Worker() as worker:
        worker.open("ort", twice_onnx())
    assert _gone(worker.pid)
    worker.close()


def test_chatter_stays_out_of_the_terminal(
    twice_tflite: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    with Worker() as worker:
        worker.open("litert", twice_tflite((1, 3))).run({"x": X[:1]})
    assert capfd.readouterr() == ("", "")


SCRIPT = """
import sys
import numpy as np
from pathlib import Path
from runtimes.isolate import Worker
print("started")
with Worker() as worker:
    session = worker.open("ort", Path(sys.argv[1]))
    print(session.run({"x": np.ones((1, 3), np.float32)})["y"].tolist())
"""


def _run_script(folder: Path, model: Path, **env: str) -> subprocess.CompletedProcess[str]:
    bootstrap = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import compressor, runtimes\n"
    script = folder / "script.py"
    script.write_text(bootstrap + SCRIPT)
    return subprocess.run(
        [sys.executable, script, model],
        cwd=folder,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )


def _packages_named_like_ours(folder: Path) -> Path:
    for name in ("bench", "models", "runtimes", "compressor"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    return folder


def test_users_own_packages_do_not_get_in_the_way(twice_onnx: Make, tmp_path: Path) -> None:
    """A script without a main guard, beside packages named like ours."""
    folder = _packages_named_like_ours(tmp_path / "project")
    done = _run_script(folder, twice_onnx())
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["started", "[[2.0, 2.0, 2.0]]"]


def test_a_search_path_with_packages_named_like_ours(twice_onnx: Make, tmp_path: Path) -> None:
    folder = _packages_named_like_ours(tmp_path / "project")
    done = _run_script(folder, twice_onnx(), PYTHONPATH=str(folder))
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["started", "[[2.0, 2.0, 2.0]]"]


def test_current_folder_is_not_on_the_childs_path(
    twice_onnx: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = twice_onnx()
    folder = _packages_named_like_ours(tmp_path / "project")
    for name in ("numpy", "onnxruntime"):
        (folder / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(folder)
    with Worker() as worker:
        assert np.array_equal(worker.open("ort", model).run({"x": X})["y"], 2 * X)


def test_interrupting_the_parent_ends_the_child(twice_onnx: Make, tmp_path: Path) -> None:
    script = tmp_path / "wait.py"
    script.write_text(
        textwrap.dedent(f"""
        import os, signal, sys
        sys.path.insert(0, {str(ROOT)!r})
        import numpy as np
        from pathlib import Path
        from runtimes.isolate import Worker
        with Worker() as worker:
            session = worker.open("ort", Path({str(twice_onnx())!r}))
            os.kill(worker.pid, signal.SIGSTOP)
            print(worker.pid, flush=True)
            session.run({{"x": np.ones((1, 3), np.float32)}})
        """)
    )
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.2)
    parent.send_signal(signal.SIGINT)
    _, stderr = parent.communicate(timeout=10)
    assert "KeyboardInterrupt" in stderr
    assert _gone(child)


def test_child_ends_when_the_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from runtimes.isolate import Worker
        worker = Worker()
        worker.peak_bytes()
        print(worker.pid, flush=True)
        sys.stdin.read()
        """)
    )
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while not _ended(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _ended(child)


def test_child_ignores_the_terminals_interrupt(worker: Worker, session: RemoteSession) -> None:
    os.kill(worker.pid, signal.SIGINT)
    assert np.array_equal(session.run({"x": X})["y"], 2 * X)


def test_peak_is_the_childs_own(worker: Worker) -> None:
    """What this process holds (and getrusage would hand down) does not count."""
    ballast = np.ones(40_000_000)
    with Worker() as late:
        assert late.peak_bytes() < ballast.nbytes / 2
    assert worker.peak_bytes() > 5_000_000
