from pathlib import Path

import numpy as np
import pytest

from compressor.data.description import Description
from compressor.errors import Code, EdgecError
from compressor.project import read_project, require_budgets
from compressor.recipe import Recipe, Scheme
from compressor.settings import settings_of


def write(folder: Path, text: str) -> Path:
    np.savez(folder / "d.npz", x=np.zeros((2, 3), np.float32))
    file = folder / "edgec.toml"
    file.write_text(text)
    return file


def refused(folder: Path, text: str) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        read_project(write(folder, text))
    return caught.value


def test_everything_is_read_and_paths_are_beside_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
[model]
path = "net.py:build"
weights = "w.pt"
input_shape = ["x=1,3"]
[data]
path = "d.npz"
divide = 255.0
[quantize]
scheme = "fp16"
keep_float = ["a,b"]
[export]
to = "onnx"
output = "out"
[measure]
latency_seconds = 1
[budgets]
size.file = "1 MB"
[gate]
baseline = "base"
""",
    )
    project = read_project(file)
    assert project.model == str(tmp_path / "net.py:build")
    assert project.ingest.weights == tmp_path / "w.pt"
    assert project.ingest.input_shapes == {"x": (1, 3)}
    assert isinstance(project.data, Description)
    assert project.data.feeding.divide == 255.0
    assert project.settings == {
        "quantize": Scheme.FP16,
        "keep_float": ("a,b",),
        "to": ("onnx",),
        "latency_seconds": 1.0,
    }
    assert (project.output, project.baseline) == (tmp_path / "out", tmp_path / "base")
    assert [(b.name, b.line) for b in require_budgets(project)] == [("size.file", 18)]


def test_a_data_description_may_be_named(tmp_path: Path) -> None:
    assert read_project(write(tmp_path, '[data]\npath = "d.toml"')).data == tmp_path / "d.toml"


def test_an_empty_file_states_nothing(tmp_path: Path) -> None:
    project = read_project(write(tmp_path, ""))
    assert (project.model, project.data, project.settings) == (None, None, {})
    with pytest.raises(EdgecError) as caught:
        require_budgets(project)
    assert caught.value.code is Code.RECIPE_INVALID


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("[modle]\npath = 'x'", 1, "did you mean 'model'?"),
        ("[model]\n\npaht = 'x'", 3, "did you mean 'path'?"),
        ("[quantize]\nshceme = 'int8'", 2, "did you mean 'scheme'?"),
        ("[quantize]\nscheme = 'int9'", 2, "did you mean 'int8'?"),
        ("[quantize]\ncalib_samples = 'many'", 2, "an integer"),
        ("[model]\npath = 3", 2, "text"),
        ("[model]\ninput_shape = 'x=1'", 2, "x=1,3,224,224"),
        ("model = 3", 1, "[model]"),
        ("[budgets]\nsize.file = '1'", 2, "MB"),
        ("[budgets]\n\nsise.file = '1 B'", 3, "size"),
        ("[export]\nto = ['onxx']", 2, "did you mean 'onnx'?"),
    ],
)
def test_mistakes_are_refused_with_their_line(
    tmp_path: Path, text: str, line: int, expected: str
) -> None:
    error = refused(tmp_path, text)
    assert error.code is Code.RECIPE_INVALID
    assert error.where.endswith(f"edgec.toml, line {line}") or "--" in error.where
    assert expected in error.expected


@pytest.mark.parametrize("text", ["[model", "a = 1\na = 2", "\x00", "[[[["])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    assert "cannot read the project file" in refused(tmp_path, text).what


def test_a_missing_file_names_init(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        read_project(tmp_path / "edgec.toml")
    assert "edgec init" in caught.value.hint


def test_keys_of_settings_look_alike() -> None:
    """One table and one key of lower-case words joined by underscores."""
    keys = [known.key for known in settings_of(Recipe)]
    assert len(set(keys)) == len(keys)
    for key in keys:
        table, dot, name = key.partition(".")
        assert dot
        assert table.isalpha()
        assert name.replace("_", "").isalnum()
        assert key == key.lower()
