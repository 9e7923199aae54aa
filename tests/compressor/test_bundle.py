import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from compressor.bundle import summary_of, write_bundle
from compressor.errors import Code, EdgecError

SECRET = "secret-project"
REPORT: dict[str, Any] = {
    "schema_version": 1,
    "source": {"name": SECRET, "size": {}},
    "model": {"fingerprint": SECRET, "interface": {"inputs": [{"name": SECRET}]}},
    "data": {"name": SECRET, "sha256": SECRET},
    "recipe": {"quantize": "int8", "keep_float": [SECRET]},
    "environment": {"cpu": "a cpu", "versions": {"onnx": "1.23.2"}},
    "quantization": {
        "integer_macs": 0.9,
        "kept_float": [{"node": SECRET, "op_type": "Softmax", "reason": "no kernel"}],
    },
    "as_read": {"macs": 1},
    "artifacts": [
        {
            "name": "model.onnx",
            "files": ["model.onnx"],
            "sha256": SECRET,
            "interface": {"inputs": [{"name": SECRET}]},
            "size": {"file_bytes": 3},
            "operators": {"Conv": 2},
            "accuracy": {"metric": "top1", "samples": 9, "classes": [SECRET]},
        }
    ],
    "layers": [{"name": SECRET, "op_type": "Conv", "macs": 5, "precision": "integer"}],
    "ledger": [{"pass": "fold", "macs": 1, "skipped": [{"node": SECRET, "reason": SECRET}]}],
    "notes": [f"in float: {SECRET}"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text(json.dumps(REPORT))
    (out / "model.onnx").write_bytes(SECRET.encode())
    return out


def test_nothing_of_the_user_s_goes_in(folder: Path, tmp_path: Path) -> None:
    names = write_bundle(folder, tmp_path / "b.zip")
    assert names == ["doctor.json", "summary.json"]
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        contents = {name: archive.read(name).decode() for name in archive.namelist()}
    assert sorted(contents) == names
    assert all(SECRET not in text for text in contents.values())
    summary = json.loads(contents["summary.json"])
    assert summary["artifacts"][0]["operators"] == {"Conv": 2}
    assert summary["quantization"]["kept_float"] == [{"op_type": "Softmax", "reason": "no kernel"}]
    assert summary["ledger"] == [{"pass": "fold", "macs": 1, "skipped": 1}]


def test_with_the_model_all_goes_in(folder: Path, tmp_path: Path) -> None:
    names = write_bundle(folder, tmp_path / "b.zip", model=True)
    assert "out/model.onnx" in names
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.read("out/model.onnx") == SECRET.encode()


def test_a_report_with_holes_is_no_obstacle() -> None:
    assert summary_of({"artifacts": [{}], "layers": [{}], "ledger": [{}]})["artifacts"] == [
        {"accuracy": {}}
    ]


def test_a_folder_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        write_bundle(tmp_path, tmp_path / "b.zip")
    assert caught.value.code is Code.REPORT_UNREADABLE
    assert not (tmp_path / "b.zip").exists()
