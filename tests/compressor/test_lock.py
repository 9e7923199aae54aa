import copy
from pathlib import Path
from typing import Any

import pytest

from compressor.errors import Code, EdgecError
from compressor.lock import check_lock, lock_of, read_lock, write_lock

REPORT: dict[str, Any] = {
    "recipe": {"quantize": "int8", "latency_seconds": 2.0},
    "model": {"fingerprint": "f00"},
    "data": {"name": "d.npz", "sha256": "da7a"},
    "environment": {"versions": {"onnx": "1.23.2"}, "cpu": "any"},
    "artifacts": [{"name": "model.onnx", "sha256": "a27"}],
}


def test_a_lock_reads_back_and_holds_what_makes_an_artifact(tmp_path: Path) -> None:
    path = tmp_path / "edgec.lock"
    write_lock(path, REPORT)
    lock = read_lock(path)
    assert lock == lock_of(REPORT)
    assert "latency_seconds" not in lock["recipe"]
    check_lock(lock, REPORT, path)
    slower = copy.deepcopy(REPORT)
    slower["recipe"]["latency_seconds"] = 9.0
    slower["environment"]["cpu"] = "another"
    check_lock(lock, slower, path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["environment"]["versions"].update(onnx="2.0"), "tools onnx is 2.0"),
        (lambda r: r["recipe"].update(quantize="fp16"), "recipe quantize is fp16"),
        (lambda r: r["model"].update(fingerprint="bad"), "model is bad"),
        (lambda r: r.update(data=None), "data is None"),
        (lambda r: r["artifacts"][0].update(sha256="b"), "artifacts model.onnx is b"),
        (lambda r: r["artifacts"].clear(), "artifacts model.onnx is None"),
    ],
)
def test_every_difference_is_named(change: Any, said: str) -> None:
    changed = copy.deepcopy(REPORT)
    change(changed)
    with pytest.raises(EdgecError) as caught:
        check_lock(lock_of(REPORT), changed, Path("edgec.lock"))
    assert caught.value.code is Code.LOCK_MISMATCH
    assert said in caught.value.what
    assert "as locked" in caught.value.expected


def test_causes_are_named_before_effects() -> None:
    changed = copy.deepcopy(REPORT)
    changed["artifacts"][0]["sha256"] = "b"
    changed["recipe"]["quantize"] = "fp16"
    with pytest.raises(EdgecError) as caught:
        check_lock(lock_of(REPORT), changed, Path("edgec.lock"))
    assert caught.value.what == "recipe quantize is fp16, and 1 more"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lock_version": 2}', "[" * 100_000])
def test_a_broken_lock_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "edgec.lock").write_text(text)
    with pytest.raises(EdgecError) as caught:
        read_lock(tmp_path / "edgec.lock")
    assert caught.value.code is Code.LOCK_MISMATCH
