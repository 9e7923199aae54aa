from pathlib import Path

import numpy as np
import pytest

from compressor.dataset import open_dataset
from compressor.usage import usage_of


def test_normalization_is_of_raw_values(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 4, 4, 3), np.uint8))
    toml = tmp_path / "a.toml"
    toml.write_text("path = 'a.npz'\ndivide = 255.0\nmean = [0.5, 0.25, 0.0]\nstd = [0.5]\n")
    usage = usage_of(open_dataset(toml))
    assert usage.mean == (127.5, 63.75, 0.0)
    assert usage.std == (127.5,)
    assert usage.normalizes
    assert "labels" not in usage.to_json()


def test_folders_name_the_classes(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name in ("dog", "cat"):
        (tmp_path / name).mkdir()
        image.new("RGB", (4, 4)).save(tmp_path / name / "0.png")
    (tmp_path / "empty").mkdir()
    usage = usage_of(open_dataset(tmp_path))
    assert usage.labels == ("cat", "dog")
    assert usage.color == "RGB"


def test_without_data_nothing_is_known() -> None:
    usage = usage_of(None)
    assert not usage.normalizes
    assert usage.to_json() == {"mean": [0.0], "std": [1.0]}
