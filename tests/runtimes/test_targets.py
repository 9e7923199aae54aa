from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.protocol import Runtime, SessionOptions
from runtimes.targets import (
    Target,
    open_session,
    parse_target,
    runtime_for,
    runtimes,
    split_targets,
)


def test_several_targets_in_one_text() -> None:
    texts = ("ort,litert:threads=2,optimize=false", "sim:rk3588,cores=little,tflm")
    assert split_targets(texts) == (
        "ort",
        "litert:threads=2,optimize=false",
        "sim:rk3588,cores=little",
        "tflm",
    )


def test_the_folder_is_the_table() -> None:
    assert {"ort", "litert"} <= set(runtimes())


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("ort", Target(name="ort")),
        ("litert:threads=4", Target(name="litert", options=SessionOptions(threads=4))),
        ("litert,threads=4", Target(name="litert", options=SessionOptions(threads=4))),
        (
            "ort:threads=2,optimize=false",
            Target(name="ort", options=SessionOptions(threads=2, optimize=False)),
        ),
        (" ort : threads=1 ", Target(name="ort")),
    ],
)
def test_parses_name_and_options(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["litrt", "", ":threads=2", "ORT"])
def test_unknown_names_are_refused(text: str) -> None:
    with pytest.raises(EdgecError) as caught:
        parse_target(text)
    assert caught.value.code is Code.TARGET_UNKNOWN


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(EdgecError) as caught:
        parse_target("litrt")
    assert "litert" in caught.value.expected


@pytest.mark.parametrize(
    "text",
    [
        "ort:thread=2",
        "ort:threads",
        "ort:threads=two",
        "ort:threads=0",
        "ort:threads=-1",
        "ort:threads=1.5",
        "ort:optimize=1",
        "ort:",
    ],
)
def test_bad_options_are_refused(text: str) -> None:
    with pytest.raises(EdgecError) as caught:
        parse_target(text)
    assert caught.value.code is Code.RECIPE_INVALID


def test_files_find_their_runtime() -> None:
    assert runtime_for(Path("m.tflite")).NAME == "litert"
    assert runtime_for(Path("m.onnx")).NAME == runtime_for(Path("m.ort")).NAME == "ort"
    with pytest.raises(EdgecError) as caught:
        runtime_for(Path("m.pb"))
    assert caught.value.code is Code.TARGET_UNKNOWN
    assert ".tflite" in caught.value.expected


def _missing() -> str | None:
    return "the package litert is not installed: pip install ai-edge-litert"


def _broken(_path: Path, _options: SessionOptions) -> None:
    raise ImportError("libc++.so.1: cannot open shared object file")


def test_a_missing_runtime_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_module("litert"), "available", _missing)
    with pytest.raises(EdgecError) as caught:
        open_session("litert", tmp_path, SessionOptions())
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
    assert "pip install" in caught.value.what


def test_a_broken_installation_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_module("ort"), "open_session", _broken)
    with pytest.raises(EdgecError) as caught:
        open_session("ort", tmp_path, SessionOptions())
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
    assert "libc++" in caught.value.what


def _module(name: str) -> Runtime:
    return runtimes()[name]


def test_listing_imports_no_runtime_library() -> None:
    code = (
        "import sys; from runtimes.targets import runtimes; runtimes();"
        "print([m for m in ('onnxruntime', 'ai_edge_litert', 'onnx_ir') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
