from __future__ import annotations

import pytest

import runtimes._process
from compressor.errors import Code, EdgecError
from runtimes._process import ChildProcess, Task

TASK = Task("litert", "loading")
READ_ALL = "sys.stdin.buffer.read(1)\n"


def _death_of(monkeypatch: pytest.MonkeyPatch, program: str) -> EdgecError:
    monkeypatch.setattr(runtimes._process, "_BOOTSTRAP", f"import os, sys\n{READ_ALL}{program}")
    child = ChildProcess(timeout_s=10)
    with pytest.raises(EdgecError) as caught:
        child.request({"do": "open"}, task=TASK)
    child.close()
    return caught.value


def test_last_words_are_shown_without_chatter(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "INFO: delegate\\n\\nERROR: tensor 3\\nWARNING: slow\\nAborted here\\n"
    error = _death_of(monkeypatch, f"sys.stderr.write('{words}'); sys.stderr.flush(); os.abort()")
    assert error.code is Code.RUNTIME_CRASHED
    assert error.what == (
        "litert was killed by SIGABRT while loading: ERROR: tensor 3 | Aborted here"
    )


def test_last_words_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "\\n".join(f"line {n}" for n in range(10_000))
    error = _death_of(monkeypatch, f"sys.stderr.write('{words}'); sys.exit(3)")
    assert error.what == (
        "litert ended with exit status 3 while loading: line 9997 | line 9998 | line 9999"
    )


def test_half_a_reply_is_a_death(monkeypatch: pytest.MonkeyPatch) -> None:
    error = _death_of(monkeypatch, "sys.stdout.write('1234'); sys.exit(0)")
    assert "exit status 0" in error.what


def test_closing_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes._process, "_BOOTSTRAP", "import time; time.sleep(60)")
    child = ChildProcess(timeout_s=10)
    child.close()
    child.close()
    with pytest.raises(EdgecError) as caught:
        child.request({"do": "open"}, task=TASK)
    assert caught.value.code is Code.RUNTIME_CRASHED
