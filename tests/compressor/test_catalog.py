import sys
from pathlib import Path

import pytest

from compressor.catalog import Catalog, nearest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / f"catalogued_{tmp_path.name}"  # Python remembers packages by name
    folder.mkdir()
    for name in ("__init__", "beta", "alpha", "common", "_private"):
        (folder / f"{name}.py").write_text(f"NAME = {name!r}\n")
    (folder / "broken.py").write_text("raise RuntimeError\n")
    (folder / "notes.txt").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_files_are_entries_but_for_private_and_shared_ones(package: str) -> None:
    catalog = Catalog(package, shared=("common",))
    assert list(catalog) == ["alpha", "beta", "broken"]
    assert len(catalog) == 3
    assert "alpha" in catalog
    assert "common" not in catalog
    assert catalog["beta"].NAME == "beta"


def test_nothing_is_imported_before_it_is_asked_for(package: str) -> None:
    catalog = Catalog(package)
    assert "broken" in list(catalog)
    assert f"{package}.beta" not in sys.modules


@pytest.mark.parametrize("name", ["_private", "missing", "__init__"])
def test_unknown_name(package: str, name: str) -> None:
    with pytest.raises(KeyError):
        Catalog(package)[name]


def test_a_new_file_is_a_new_entry(package: str, tmp_path: Path) -> None:
    catalog = Catalog(package)
    (tmp_path / package / "gamma.py").write_text("NAME = 'gamma'\n")
    assert "gamma" in list(catalog)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("onx", "did you mean 'onnx'?"), ("percentle", "did you mean 'percentile'?"),
     ("zzz", "one of: onnx, percentile")],
)  # fmt: skip
def test_nearest(name: str, answer: str) -> None:
    assert nearest(name, ["percentile", "onnx"]) == answer
