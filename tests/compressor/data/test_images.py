import importlib.util
from pathlib import Path

import numpy as np
import pytest

from compressor.data.images import Decoding, ImageStore, decode
from compressor.errors import Code, EdgecError

Image = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'edgec[images]'")


def gradient(height: int, width: int, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    planes = [rows * 255 // height, columns * 255 // width, (rows + columns) % 256]
    return np.stack(planes[:channels], axis=2).astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.squeeze()).save(path)
    return path


def refusal(folder: Path, decoding: Decoding | None = None) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        ImageStore(folder, decoding or Decoding()).read("x")
    return caught.value


def test_classes_by_name_and_samples_round_the_classes(tmp_path: Path) -> None:
    for name, count in (("zebra", 1), ("ant", 3), ("bee", 2)):
        for index in range(count):
            value = {"ant": 10, "bee": 20, "zebra": 30}[name] + index
            save(tmp_path / name / f"{index}.png", np.full((4, 5, 3), value, np.uint8))
    (tmp_path / "ant" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    store = ImageStore(tmp_path, Decoding())
    assert store.arrays["x"].shape == (6, 4, 5, 3)
    assert store.read("y").tolist() == [0, 1, 2, 0, 1, 0]
    assert store.read("x")[:, 0, 0, 0].tolist() == [10, 20, 30, 11, 21, 12]
    assert store.read("x", 2).shape == (2, 4, 5, 3)


def test_images_without_folders_have_no_classes(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        save(tmp_path / name, np.full((2, 2, 3), ord(name[0]), np.uint8))
    store = ImageStore(tmp_path, Decoding())
    assert set(store.arrays) == {"x"}
    assert store.read("x")[:, 0, 0, 0].tolist() == [ord("a"), ord("b")]


@pytest.mark.parametrize(
    ("resize", "size"),
    [(8, (8, 12)), ((6, 10), (6, 10)), (None, (20, 30))],
)
def test_shorter_side_or_both_are_resized(
    tmp_path: Path, resize: int | tuple[int, int] | None, size: tuple[int, int]
) -> None:
    path = save(tmp_path / "a.png", gradient(20, 30))
    assert decode(path, Decoding(resize=resize)).shape == (*size, 3)


def test_the_middle_is_cut_out(tmp_path: Path) -> None:
    pixels = gradient(21, 31)
    found = decode(save(tmp_path / "a.png", pixels), Decoding(crop=(11, 15)))
    assert (found == pixels[5:16, 8:23]).all()


def test_color_order_and_gray(tmp_path: Path) -> None:
    pixels = gradient(4, 5)
    path = save(tmp_path / "a.png", pixels)
    assert (decode(path, Decoding(color="BGR")) == pixels[:, :, ::-1]).all()
    gray = decode(path, Decoding(color="L"))
    weights = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow converts
    assert abs(gray[:, :, 0] - pixels @ weights).max() <= 1
    gray_file = save(tmp_path / "g.png", pixels[:, :, :1])
    assert (decode(gray_file, Decoding()) == pixels[:, :, :1]).all()


def test_interpolations_differ(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    path = save(tmp_path / "a.png", noise)
    kinds = ("nearest", "bilinear", "bicubic")
    made = [decode(path, Decoding(resize=7, interpolation=kind)).tobytes() for kind in kinds]
    assert len(set(made)) == 3


def test_images_of_several_sizes_ask_for_one(tmp_path: Path) -> None:
    save(tmp_path / "a.png", gradient(4, 5))
    save(tmp_path / "b.png", gradient(5, 5))
    error = refusal(tmp_path)
    assert error.code is Code.DATA_SHAPE
    assert error.where.endswith("b.png")
    assert "resize = " in error.hint


def test_images_smaller_than_the_crop_are_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png", gradient(4, 5))
    error = refusal(tmp_path, Decoding(crop=(8, 8)))
    assert error.code is Code.DATA_SHAPE
    assert "a.png" in error.where


@pytest.mark.parametrize("content", [b"", b"noise", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    error = refusal(tmp_path)
    assert error.code is Code.DATA_UNREADABLE
    assert error.where.endswith("a.png")


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", gradient(64, 64))
    path.write_bytes(path.read_bytes()[:600])
    assert refusal(tmp_path).code is Code.DATA_UNREADABLE


@pytest.mark.filterwarnings("ignore:Image size")
@pytest.mark.parametrize("side", [10_001, 20_000])
def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, side: int) -> None:
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    error = refusal(tmp_path)
    assert error.code is Code.DATA_UNREADABLE
    assert "pixels" in str(error)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).code is Code.DATA_EMPTY


def test_missing_pillow_names_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    error = refusal(tmp_path)
    assert error.code is Code.EXTRA_MISSING
    assert "pip install 'edgec[images]'" in error.hint
