from pathlib import Path

import numpy as np
import pytest

from compressor.data.function import FunctionStore
from compressor.errors import Code, EdgecError


def store(folder: Path, code: str) -> FunctionStore:
    (folder / "load.py").write_text(f"import numpy as np\n{code}")
    return FunctionStore(folder / "load.py:samples")


def refusal(folder: Path, code: str) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        store(folder, code).prepare(["x"], 100)
    return caught.value


FORMS = {
    "array": ("def samples(): return np.arange(6.).reshape(3, 2)", {"x"}),
    "pair": ("def samples(): return np.arange(6.).reshape(3, 2), np.arange(3)", {"x", "y"}),
    "names": (
        "def samples(): return {'x': np.arange(6.).reshape(3, 2), 'mask': np.ones((3, 1))}",
        {"x", "mask"},
    ),
    "list of arrays": (
        "def samples(): return [np.arange(4.).reshape(2, 2), [[4., 5.]], np.ones((0, 2))]",
        {"x"},
    ),
    "generator of pairs": (
        "def samples():\n    for i in range(3): yield np.array([[2. * i, 2. * i + 1]]), [i]",
        {"x", "y"},
    ),
    "generator of mappings": (
        "def samples():\n    for i in range(3): yield {'x': [[2. * i, 2. * i + 1]], 'y': [i]}",
        {"x", "y"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_samples(tmp_path: Path, form: str) -> None:
    code, names = FORMS[form]
    found = store(tmp_path, code)
    found.prepare(["x"], 100)
    assert set(found.arrays) == names
    assert found.arrays["x"].shape == (3, 2)
    assert found.read("x").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert found.read("x", 2).tolist() == [[0, 1], [2, 3]]
    if "y" in names:
        assert found.read("y").tolist() == [0, 1, 2]


ENDLESS = """
from itertools import count
from pathlib import Path

def samples():
    for index in count():
        with Path(__file__).with_suffix('.log').open('a') as log:
            print(index, file=log)
        yield np.full((2, 3), index), np.full(2, index)
"""


def test_a_stream_is_taken_only_as_far_as_it_is_needed(tmp_path: Path) -> None:
    found = store(tmp_path, ENDLESS)
    found.prepare(["x", "y"], 5)
    assert (tmp_path / "load.log").read_text().split() == ["0", "1", "2"]
    first = found.read("x", 5)
    found.prepare(["x", "y"], 7)
    assert (tmp_path / "load.log").read_text().split() == ["0", "1", "2", "3"]
    assert found.read("x", 5).tolist() == first.tolist()
    assert found.read("y", 7).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_both_splits_are_asked_for_where_the_function_knows_them(tmp_path: Path) -> None:
    found = store(
        tmp_path,
        "def samples(split):\n"
        "    value = {'calibration': 1, 'evaluation': 2}[split]\n"
        "    yield np.full((4, 2), value), np.full(4, value)\n",
    )
    assert set(found.arrays) == {"x", "y", "x_calib", "y_calib"}
    assert found.read("x_calib").max() == 1
    assert found.read("x").min() == 2


def test_siblings_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "sibling_of_load.py").write_text("WIDTH = 3")
    code = "from sibling_of_load import WIDTH\ndef samples(): return np.ones((2, WIDTH))"
    assert store(tmp_path, code).arrays["x"].shape == (2, 3)


@pytest.mark.parametrize(
    ("code", "expected", "said"),
    [
        ("def samples(): raise KeyError('lost')", Code.DATA_UNREADABLE, "load.py:2"),
        (
            "def samples():\n    yield np.ones((1, 2))\n    raise OSError('gone')",
            Code.DATA_UNREADABLE,
            "load.py:4",
        ),
        ("def samples(:", Code.DATA_UNREADABLE, "load.py:2"),
        ("import no_such_module", Code.DATA_UNREADABLE, "no_such_module"),
        ("def sample(): pass", Code.DATA_UNREADABLE, "did you mean 'sample'"),
        ("def samples(count): pass", Code.DATA_UNREADABLE, "count"),
        ("def samples(): return 3", Code.DATA_UNREADABLE, "gave a int"),
        ("def samples(): return 'x.npz'", Code.DATA_UNREADABLE, "gave a str"),
        ("def samples(): return [[['a', None]]]", Code.DATA_UNREADABLE, "numbers"),
        ("def samples(): yield {}", Code.DATA_UNREADABLE, "numbers"),
        (
            "def samples():\n    yield np.ones((1, 2))\n    yield np.ones((1, 3))",
            Code.DATA_SHAPE,
            "batch 2",
        ),
        (
            "def samples():\n    yield {'x': np.ones((1, 2))}\n    yield {'z': np.ones((1, 2))}",
            Code.DATA_SHAPE,
            "batch 2",
        ),
    ],
)
def test_faults_of_the_users_code_are_named(
    tmp_path: Path, code: str, expected: Code, said: str
) -> None:
    error = refusal(tmp_path, code)
    assert error.code is expected
    assert said in str(error)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        FunctionStore(tmp_path / "gone.py:samples")
    assert caught.value.code is Code.DATA_NOT_FOUND


def test_tensors_of_other_libraries_are_arrays(tmp_path: Path) -> None:
    code = (
        "class Tensor:\n"
        "    shape = (2, 3)\n"
        "    def __array__(self, dtype=None, copy=None): return np.ones((2, 3), np.float32)\n"
        "def samples(): return Tensor(), [1, 2]\n"
    )
    found = store(tmp_path, code)
    assert found.read("x").dtype == np.float32
    assert found.read("y").tolist() == [1, 2]
