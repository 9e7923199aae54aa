from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from compressor.data.description import Feeding, read_description
from compressor.data.images import Decoding
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Layout


def described(folder: Path, toml: str) -> Path:
    np.savez(folder / "a.npz", x=np.zeros(1))
    (folder / "a.toml").write_text(toml)
    return folder / "a.toml"


def refusal(path: Path) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        read_description(path)
    return caught.value


def test_all_settings_are_read(tmp_path: Path) -> None:
    found = read_description(
        described(
            tmp_path,
            """
            path = "a.npz"
            layout = "NHWC"
            divide = 255
            mean = [0.1, 0.2]
            std = 2
            metric = "top1"
            """,
        )
    )
    assert found.path == tmp_path / "a.npz"
    assert found.metric == "top1"
    assert found.feeding == Feeding(layout=Layout.NHWC, divide=255.0, mean=(0.1, 0.2), std=(2.0,))


def test_an_npz_alone_is_fed_as_stored(tmp_path: Path) -> None:
    described(tmp_path, "")
    found = read_description(tmp_path / "a.npz")
    assert found.feeding == Feeding()
    assert not found.feeding.scales


@pytest.mark.parametrize(
    "setting", ["divide = 2", "mean = 1", "std = [1, 2]", "divide = 255\nmean = [0, 0]"]
)
def test_any_arithmetic_counts_as_scaling(tmp_path: Path, setting: str) -> None:
    assert read_description(described(tmp_path, f'path = "a.npz"\n{setting}')).feeding.scales


def test_path_is_relative_to_the_description(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    described(tmp_path, "")
    (tmp_path / "deep" / "b.toml").write_text('path = "../a.npz"')
    monkeypatch.chdir("/")
    assert read_description(tmp_path / "deep" / "b.toml").path.samefile(tmp_path / "a.npz")


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    error = refusal(described(tmp_path, 'path = "a.npz"\nlay_out = "NHWC"'))
    assert error.code is Code.RECIPE_INVALID
    assert "did you mean 'layout'?" in error.hint


@pytest.mark.parametrize(
    "setting",
    [
        "path = 3",
        'path = ""',
        'layout = "HWC"',
        'layout = "none"',
        "layout = 3",
        "layout = []",
        "divide = 0",
        "divide = -1.0",
        "divide = inf",
        "divide = nan",
        "divide = true",
        'divide = "255"',
        "mean = []",
        'mean = ["a"]',
        "mean = [[1]]",
        "mean = {a = 1}",
        "std = [1, 0]",
        "metric = 1",
        'path = "a.toml"',
    ],
)
def test_wrong_values_are_refused_by_key(tmp_path: Path, setting: str) -> None:
    rest = "" if setting.startswith("path") else 'path = "a.npz"\n'
    error = refusal(described(tmp_path, rest + setting))
    assert error.code is Code.RECIPE_INVALID
    assert f"'{setting.split(maxsplit=1)[0]}'" in error.what
    assert error.expected


def test_description_without_path_is_refused(tmp_path: Path) -> None:
    assert "lacks 'path'" in refusal(described(tmp_path, "divide = 2")).what


@pytest.mark.parametrize("content", [b"path = ", b"\xff\xfe", b"\x00", b"a = 1\n" * 200_000])
def test_damaged_description_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    assert refusal(tmp_path / "a.toml").code is Code.DATA_UNREADABLE


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    described(tmp_path, 'path = "missing.npz"')
    names = ("b.toml", "b.npz", "folder", "b.py:samples", "a.toml")
    for path in (tmp_path / name for name in names):
        assert refusal(path).code is Code.DATA_NOT_FOUND


def test_other_forms_of_data_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2")
    error = refusal(tmp_path / "a.csv")
    assert error.code is Code.DATA_UNREADABLE
    assert ".npz" in error.expected


@hypothesis.given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("toml") / "a.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(EdgecError):
        read_description(path)


def test_a_folder_of_images_is_decoded_and_fed_channels_last(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    toml = 'path = "val"\nresize = 8\ncrop = [4, 6]\ncolor = "BGR"\ninterpolation = "bicubic"'
    found = read_description(described(tmp_path, toml))
    assert found.decoding == Decoding(resize=8, crop=(4, 6), color="BGR", interpolation="bicubic")
    assert found.feeding.layout is Layout.NHWC
    assert read_description(tmp_path / "val").feeding.layout is Layout.NHWC


@pytest.mark.parametrize(
    "setting",
    ["resize = 0", "resize = [8]", "crop = 4.5", "crop = true", 'color = "CMYK"', "crop = [1,2,3]"],
)
def test_decoding_of_another_kind_is_refused(tmp_path: Path, setting: str) -> None:
    (tmp_path / "val").mkdir()
    error = refusal(described(tmp_path, f'path = "val"\n{setting}'))
    assert error.code is Code.RECIPE_INVALID
    assert f"'{setting.partition(' ')[0]}'" in error.what


def test_decoding_is_for_images(tmp_path: Path) -> None:
    error = refusal(described(tmp_path, 'path = "a.npz"\nresize = 8'))
    assert error.code is Code.RECIPE_INVALID
    assert "'resize'" in error.what


def test_functions_are_found_beside_the_description(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text("")
    toml = 'path = "load.py:samples"\nmetric = "load.py:score"'
    found = read_description(described(tmp_path, toml))
    assert found.path == tmp_path / "load.py:samples"
    assert found.file == tmp_path / "load.py"
    assert found.metric == f"{tmp_path / 'load.py'}:score"
