"""What a new user gets wrong, each ending in its code and exit status, with nothing written."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest

from compressor.cli.main import main
from compressor.errors import Code

MODEL = "models/residual_cnn/model.onnx"


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong call: what to prepare in a folder, the words of the command, the code it gets.

    ``{model}`` and ``{data}`` are good ones, ``{here}`` is the folder.
    """

    name: str
    code: Code
    words: str
    says: tuple[str, ...] = ()
    prepare: Callable[[Path, Path], None] = field(default=lambda here, model: None)  # noqa: ARG005


def _write(name: str, content: bytes) -> Callable[[Path, Path], None]:
    return lambda here, _: (here / name).write_bytes(content) and None


def _npz(**arrays: np.ndarray) -> Callable[[Path, Path], None]:
    return lambda here, _: np.savez(here / "data.npz", **arrays)


def _images(count: int = 40) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, 1, 28, 28), np.float32)


def _with(array: np.ndarray, value: float) -> np.ndarray:
    array[3, 0, 5, 7] = value
    return array


def _truncated(here: Path, model: Path) -> None:
    (here / "m.onnx").write_bytes(model.read_bytes()[:50_000])


def _edited(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path, Path], None]:
    def prepare(here: Path, model: Path) -> None:
        proto = onnx.load(model)
        change(proto)
        onnx.save(proto, here / "m.onnx")

    return prepare


def _nan_weight(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[1]
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.flat[0] = np.nan
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def _custom_operator(proto: onnx.ModelProto) -> None:
    proto.graph.node[1].domain = "acme"
    proto.opset_import.append(onnx.helper.make_opsetid("acme", 1))


def _old_opset(proto: onnx.ModelProto) -> None:
    proto.opset_import[0].version = 6


def _escaping_data(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def _without_lowering(here: Path, _: Path) -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 10, opset_import: ["" : 21]>
        main (float[n, 3, 3] x) => (float[n] y) { y = Det (x) }"""
    )
    onnx.save(model, here / "m.onnx")
    np.savez(here / "data.npz", x=np.random.default_rng(0).standard_normal((40, 3, 3), np.float32))


def _factory(body: str) -> Callable[[Path, Path], None]:
    return lambda here, _: (here / "net.py").write_text(body) and None


def _foreign_output(here: Path, _: Path) -> None:
    (here / "out").mkdir()
    (here / "out/thesis.txt").write_text("mine")


def _unlabelled_with_metric(here: Path, _: Path) -> None:
    np.savez(here / "data.npz", x=_images())
    (here / "data.toml").write_text("path = 'data.npz'\nmetric = 'top1'\n")


MISTAKES = [
    Mistake(name="no such model", code=Code.MODEL_NOT_FOUND, words="compile {here}/none.onnx"),
    Mistake(
        name="truncated model",
        code=Code.MODEL_UNREADABLE,
        words="compile {here}/m.onnx --data {data}",
        prepare=_truncated,
    ),
    Mistake(
        name="random bytes",
        code=Code.MODEL_UNREADABLE,
        words="compile {here}/m.onnx --data {data}",
        prepare=_write("m.onnx", np.random.default_rng(0).bytes(4096)),
    ),
    Mistake(
        name="empty file",
        code=Code.MODEL_UNREADABLE,
        words="compile {here}/m.onnx --data {data}",
        prepare=_write("m.onnx", b""),
        says=("empty",),
    ),
    Mistake(
        name="not a model",
        code=Code.MODEL_UNREADABLE,
        words="compile {here}/m.onnx --data {data}",
        prepare=_write("m.onnx", b'{"weights": [1, 2, 3]}'),
    ),
    Mistake(
        name="wrong extension",
        code=Code.MODEL_FORMAT_UNKNOWN,
        words="compile {here}/m.docx --data {data}",
        prepare=_write("m.docx", b"x"),
        says=("m.docx",),
    ),
    Mistake(
        name="a folder as the model",
        code=Code.MODEL_FORMAT_UNKNOWN,
        words="compile {here} --data {data} -o {here}/out",
    ),
    Mistake(
        name="NaN weights",
        code=Code.MODEL_NOT_FINITE,
        words="compile {here}/m.onnx --data {data}",
        prepare=_edited(_nan_weight),
        says=("NaN", "Conv"),
    ),
    Mistake(
        name="custom operator",
        code=Code.MODEL_UNSUPPORTED,
        words="compile {here}/m.onnx --data {data}",
        prepare=_edited(_custom_operator),
        says=("acme",),
    ),
    Mistake(
        name="opset from long ago",
        code=Code.MODEL_UNSUPPORTED,
        words="compile {here}/m.onnx --data {data}",
        prepare=_edited(_old_opset),
        says=("opset 6",),
    ),
    Mistake(
        name="external data elsewhere",
        code=Code.EXTERNAL_DATA,
        words="compile {here}/m.onnx --data {data}",
        prepare=_edited(_escaping_data),
    ),
    Mistake(
        name="operator without a lowering",
        code=Code.NO_LOWERING,
        words="compile {here}/m.onnx --data {here}/data.npz",
        prepare=_without_lowering,
        says=("Det", "node"),
    ),
    Mistake(name="no data for INT8", code=Code.DATA_REQUIRED, words="compile {model}"),
    Mistake(
        name="no such data",
        code=Code.DATA_NOT_FOUND,
        words="compile {model} --data {here}/none.npz",
    ),
    Mistake(
        name="truncated data",
        code=Code.DATA_UNREADABLE,
        words="compile {model} --data {here}/data.npz",
        prepare=_write("data.npz", b"PK\x03\x04 and then nothing"),
    ),
    Mistake(
        name="pickled data",
        code=Code.DATA_DTYPE,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=np.array([{"a": 1}], dtype=object)),
    ),
    Mistake(
        name="NaN in the data",
        code=Code.DATA_NOT_FINITE,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=_with(_images(), np.nan)),
        says=("[3, 0, 5, 7]",),
    ),
    Mistake(
        name="empty data",
        code=Code.DATA_EMPTY,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=_images(0)),
    ),
    Mistake(
        name="data of another shape",
        code=Code.DATA_SHAPE,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=np.zeros((40, 1, 32, 32), np.float32)),
        says=("32",),
    ),
    Mistake(
        name="data in another layout",
        code=Code.DATA_SHAPE,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=np.zeros((40, 28, 28, 1), np.float32)),
        says=("layout",),
    ),
    Mistake(
        name="text as data",
        code=Code.DATA_DTYPE,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=np.full((40, 1, 28, 28), "a")),
    ),
    Mistake(
        name="no array called x",
        code=Code.DATA_MISSING_ARRAY,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(images=_images()),
        says=("images",),
    ),
    Mistake(
        name="fewer labels than samples",
        code=Code.DATA_EMPTY,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=_images(), y=np.zeros(39, np.int64)),
    ),
    Mistake(
        name="labels beyond the classes",
        code=Code.DATA_LABELS,
        words="compile {model} --data {here}/data.npz",
        prepare=_npz(x=_images(), y=np.full(40, 10)),
    ),
    Mistake(
        name="a metric that needs labels, without labels",
        code=Code.DATA_LABELS,
        words="compile {model} --data {here}/data.toml",
        prepare=_unlabelled_with_metric,
    ),
    Mistake(
        name="a typo in the data description",
        code=Code.RECIPE_INVALID,
        words="compile {model} --data {here}/data.toml",
        prepare=_write("data.toml", b"path = 'data.npz'\nlayuot = 'NHWC'\n"),
        says=("layout",),
    ),
    Mistake(
        name="output is a file",
        code=Code.OUTPUT_UNWRITABLE,
        words="compile {model} --data {data} -o {here}/taken",
        prepare=_write("taken", b"mine"),
    ),
    Mistake(
        name="output holds other files",
        code=Code.OUTPUT_EXISTS,
        words="compile {model} --data {data} -o {here}/out",
        prepare=_foreign_output,
        says=("thesis.txt",),
    ),
    Mistake(
        name="unknown scheme",
        code=Code.RECIPE_INVALID,
        words="compile {model} --data {data} --quantize int9",
        says=("int8",),
    ),
    Mistake(
        name="unknown format",
        code=Code.RECIPE_INVALID,
        words="compile {model} --data {data} --to onxx",
        says=("onnx",),
    ),
    Mistake(
        name="misspelt option",
        code=Code.USAGE,
        words="compile {model} --data {data} --quantise int8",
        says=("--quantize",),
    ),
    Mistake(name="misspelt command", code=Code.USAGE, words="compil {model}", says=("compile",)),
    Mistake(
        name="input shape of another rank",
        code=Code.USAGE,
        words="compile {model} --data {data} --input-shape image=1,28,28",
    ),
    Mistake(
        name="node to keep in float does not exist",
        code=Code.RECIPE_INVALID,
        words="compile {model} --data {data} --keep-float node_Conv_0",
        says=("did you mean",),
    ),
]

TORCH_MISTAKES = [
    Mistake(
        name="factory that raises",
        code=Code.FACTORY_FAILED,
        words="compile {here}/net.py:build --data {data} --input-shape x=1,1,28,28",
        prepare=_factory("def build():\n    raise RuntimeError('no checkpoint here')\n"),
        says=("no checkpoint here", "net.py"),
    ),
    Mistake(
        name="factory that does not exist",
        code=Code.FACTORY_FAILED,
        words="compile {here}/net.py:make --data {data} --input-shape x=1,1,28,28",
        prepare=_factory("def build():\n    return None\n"),
    ),
    Mistake(
        name="factory without an input shape",
        code=Code.INPUT_SHAPE_NEEDED,
        words="compile {here}/net.py:build --data {data}",
        prepare=_factory("from torch import nn\n\ndef build():\n    return nn.Conv2d(1, 2, 3)\n"),
        says=("--input-shape",),
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake(
    mistake: Mistake,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _expect(mistake, repository, tmp_path, monkeypatch, capsys)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
@pytest.mark.parametrize("mistake", TORCH_MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_in_a_factory(
    mistake: Mistake,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _expect(mistake, repository, tmp_path, monkeypatch, capsys)


def test_missing_extra_says_what_to_install(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a)
    )
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    mistake = Mistake(
        name="missing extra",
        code=Code.EXTRA_MISSING,
        words="compile {here}/m.pt2 --data {data}",
        prepare=lambda here, _: (here / "m.pt2").write_bytes(b"") and None,
        says=("edgec[torch]",),
    )
    _expect(mistake, repository, tmp_path, monkeypatch, capsys)


def test_raw_bytes_fed_to_a_normalised_model(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def prepare(here: Path, _: Path) -> None:
        stored = np.load(repository / "models/data/fashion_mnist.npz")
        np.savez(here / "data.npz", x=stored["x"].transpose(0, 3, 1, 2), y=stored["y"])

    mistake = Mistake(
        name="raw bytes",
        code=Code.DATA_RANGE,
        words="compile {model} --data {here}/data.npz",
        prepare=prepare,
        says=("divide",),
    )
    _expect(mistake, repository, tmp_path, monkeypatch, capsys)


def _expect(
    mistake: Mistake,
    repository: Path,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Run the command in *here* and hold what it says and leaves behind against *mistake*."""
    monkeypatch.chdir(here)
    mistake.prepare(here, repository / MODEL)
    before = sorted(path.relative_to(here) for path in here.rglob("*"))
    names = {
        "here": here,
        "model": repository / MODEL,
        "data": repository / "models/data/fashion_mnist.toml",
    }
    status = main([word.format(**names) for word in mistake.words.split()])
    said = capsys.readouterr().err
    assert f"error[{mistake.code.ident}]" in said
    assert status == mistake.code.exit_code
    assert status in (2, 4)
    assert "Traceback" not in said
    assert any(label in said for label in ("where:", "expected:", "try:"))
    for text in mistake.says:
        assert text in said
    assert sorted(path.relative_to(here) for path in here.rglob("*")) == before
