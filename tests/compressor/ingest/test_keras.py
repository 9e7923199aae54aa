import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest import child, factory
from compressor.ingest.keras import accepts, load
from compressor.ingest.options import IngestOptions, Shape
from compressor.ir.interface import interface_of
from compressor.source import read_source
from tests.tolerances import SAME_ACCURACY_POINTS, float32_network

for missing in ("tensorflow", "tf2onnx"):
    if importlib.util.find_spec(missing) is None:
        pytest.skip(f"needs {missing}: pip install 'edgec[keras]'", allow_module_level=True)

MODELS = Path(__file__).with_name("keras_models.py")


def options(weights: Path | None = None, **shapes: Shape) -> IngestOptions:
    return IngestOptions(weights=weights, input_shapes=shapes)


def refusal(path: Path, given: IngestOptions) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        load(path, given)
    return caught.value


def run_python(code: str, *arguments: str) -> str:
    """Run *code* in a process of its own, quietly; TensorFlow never enters this one."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment | {"PYTHONPATH": str(MODELS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


SERVE = """
import json, sys, types
package = types.ModuleType("_edgec_ingest")
package.__path__ = [sys.argv[1]]
sys.modules["_edgec_ingest"] = package
from pathlib import Path
from _edgec_ingest._child.program import serve
from _edgec_ingest._child.request import Request
for line in Path(sys.argv[2]).read_text().splitlines():
    source, folder, shapes = json.loads(line)
    facts = serve(Request(framework="keras", source=Path(source), factory="", weights=None,
                          shapes=shapes, folder=Path(folder)))
    print("ANSWER", json.dumps(facts), flush=True)
"""


def answers(sources: Sequence[Path], scratch: Path, **shapes: Shape) -> list[dict[str, str]]:
    """Let one child read all *sources*, and return what it answers to each."""
    requests = scratch / "requests.jsonl"
    requests.write_text(
        "\n".join(json.dumps([str(path), str(scratch), shapes]) for path in sources)
    )
    out = run_python(SERVE, str(Path(child.__file__).parent), str(requests))
    found = [line for line in out.splitlines() if line.startswith("ANSWER ")]
    return [json.loads(line.removeprefix("ANSWER ")) for line in found]


SAVE = """
import sys
from pathlib import Path
import keras_models, keras, numpy as np
folder = Path(sys.argv[1])
model = keras_models.image_classifier()
model.save(folder / "m.keras")
model.save(folder / "m.h5")
model.save_weights(folder / "m.weights.h5")
model.export(folder / "exported", verbose=False)
images = np.random.default_rng(0).standard_normal((4, 16, 16, 3)).astype("float32")
np.savez(folder / "truth.npz", images=images, probabilities=model(images, training=False))
keras_models.with_lambda().save(folder / "lambda.keras")
keras_models.with_lambda().save(folder / "lambda.h5")
keras_models.with_custom_layer().save(folder / "custom.keras")
keras_models.with_custom_layer().save(folder / "custom.h5")
keras_models.any_length().save(folder / "open.keras")
keras_models.with_python_function(folder / "python")
keras_models.with_a_write(folder / "writes", folder / "written")
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    run_python(SAVE, str(folder))
    return folder


@pytest.mark.parametrize(
    ("name", "taken"),
    [("m.keras", True), ("m.h5", True), ("net.py:build", False), ("m.onnx", False)],
)
def test_accepts_by_name(name: str, taken: bool) -> None:
    assert accepts(Path("folder") / name) is taken


def test_accepts_folders_with_a_graph(tmp_path: Path) -> None:
    assert not accepts(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    assert accepts(tmp_path)


def test_missing_tensorflow_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    error = refusal(Path("m.keras"), options())
    assert error.code is Code.EXTRA_MISSING
    assert "pip install 'edgec[keras]'" in error.hint


def test_files_have_their_own_weights(tmp_path: Path) -> None:
    assert refusal(Path("m.keras"), options(tmp_path / "w.h5")).code is Code.USAGE


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "exported"])
def test_every_form_answers_as_keras_does_and_is_clean(saved: Path, name: str) -> None:
    source = read_source(str(saved / name))
    (image,) = source.interface.inputs
    (output,) = source.interface.outputs
    assert str(image) == "image: float32[batch, 16, 16, 3] NHWC"
    assert (output.shape, output.dtype) == (("batch", 5), "float32")
    assert output.name == ("output_0" if name == "exported" else "probabilities")
    ir.save(source.model, saved / "canonical.onnx")
    session = onnxruntime.InferenceSession(str(saved / "canonical.onnx"))
    truth = np.load(saved / "truth.npz")
    have, want = session.run(None, {"image": truth["images"]})[0], truth["probabilities"]
    assert abs(have - want).max() <= abs(want).max() * float32_network(layers=6, terms=9 * 8)
    assert Counter(node.op_type for node in source.model.graph) == {
        "Transpose": 1,
        "Conv": 4,
        "Relu": 2,
        "Clip": 1,
        "Add": 1,
        "GlobalAveragePool": 1,
        "Reshape": 1,
        "Gemm": 1,
        "Softmax": 1,
    }


def test_a_factory_may_return_a_keras_model(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = options(saved / "m.weights.h5")
    model = factory.load(Path(f"{MODELS}:image_classifier"), given)
    assert [value.name for value in model.graph.inputs] == ["image"]
    assert [value.name for value in model.graph.outputs] == ["probabilities"]
    assert capfd.readouterr() == ("", "")
    text = ir.to_proto(model).SerializeToString()
    for trace in (str(MODELS.parent), "keras_models", sys.prefix):
        assert trace.encode() not in text


def cut(content: bytes, _: random.Random) -> bytes:
    return content[: len(content) // 2]


REFUSED: Mapping[str, tuple[Code, str]] = {
    "lambda.keras": (Code.MODEL_UNSUPPORTED, "holds Python code"),
    "lambda.h5": (Code.MODEL_UNSUPPORTED, "holds Python code"),
    "custom.keras": (Code.MODEL_UNSUPPORTED, "custom object"),
    "custom.h5": (Code.MODEL_UNSUPPORTED, "'Doubled'"),
    "open.keras": (Code.INPUT_SHAPE_NEEDED, "--input-shape signal="),
    "python": (Code.MODEL_UNSUPPORTED, "EagerPyFunc"),
    "writes": (Code.MODEL_UNSUPPORTED, "SaveV2"),
    "m.weights.h5": (Code.MODEL_FORMAT_UNKNOWN, "--weights m.weights.h5"),
    "cut.keras": (Code.MODEL_UNREADABLE, "not a readable .keras file"),
    "cut.h5": (Code.MODEL_UNREADABLE, "not a readable Keras .h5 file"),
    "empty.keras": (Code.MODEL_UNREADABLE, ".keras"),
    "empty.h5": (Code.MODEL_UNREADABLE, ".h5"),
    "escape.keras": (Code.MODEL_UNREADABLE, "leads out of it"),
    "bomb.keras": (Code.MODEL_TOO_LARGE, "declares"),
    "twice.keras": (Code.MODEL_UNREADABLE, "not distinct"),
    "linked.h5": (Code.MODEL_UNREADABLE, "link to elsewhere"),
    "outside": (Code.MODEL_UNREADABLE, "leads out of the folder"),
    "graphless": (Code.MODEL_UNREADABLE, "holds no graph"),
    "garbled": (Code.MODEL_UNREADABLE, "SavedModel"),
}


def make_hostile(saved: Path) -> None:
    for kind in ("keras", "h5"):
        content = (saved / f"m.{kind}").read_bytes()
        (saved / f"cut.{kind}").write_bytes(content[: len(content) // 2])
        (saved / f"empty.{kind}").write_bytes(b"")
    rezipped(saved, "escape.keras", lambda archive: archive.writestr("../../evil.txt", b""))
    rezipped(saved, "bomb.keras", bomb)
    with pytest.warns(UserWarning, match="Duplicate"):
        rezipped(saved, "twice.keras", lambda archive: archive.writestr("config.json", b"{}"))
    run_python(
        "import sys, h5py, shutil\n"
        "shutil.copy(sys.argv[1] + '/m.h5', sys.argv[1] + '/linked.h5')\n"
        "with h5py.File(sys.argv[1] + '/linked.h5', 'r+') as file:\n"
        "    file['evil'] = h5py.ExternalLink('/etc/passwd', '/')\n",
        str(saved),
    )
    for name in ("outside", "graphless", "garbled"):
        (saved / name / "variables").mkdir(parents=True)
        (saved / name / "saved_model.pb").write_bytes(b"" if name != "garbled" else b"\xff" * 99)
    (saved / "outside" / "variables" / "variables.index").symlink_to("/etc/passwd")


def rezipped(saved: Path, name: str, add: Callable[[zipfile.ZipFile], object]) -> None:
    (saved / name).write_bytes((saved / "m.keras").read_bytes())
    with zipfile.ZipFile(saved / name, "a") as archive:
        add(archive)


def bomb(archive: zipfile.ZipFile) -> None:
    with archive.open(zipfile.ZipInfo("assets/zeros"), "w", force_zip64=True) as member:
        member._compressor = None  # stored: the sizes are made to lie below
    info = archive.getinfo("assets/zeros")
    info.file_size = 1 << 34
    info.compress_size = 0


def test_what_is_refused_says_why_and_how_to_proceed(saved: Path, tmp_path: Path) -> None:
    make_hostile(saved)
    found = answers([saved / name for name in REFUSED], tmp_path)
    assert len(found) == len(REFUSED)
    for (name, (code, said)), facts in zip(REFUSED.items(), found, strict=True):
        error = EdgecError(Code[facts.pop("code")], facts.pop("what"), **facts)
        assert error.code is code, f"{name}: {error}"
        assert said in str(error), f"{name}: {error}"
        assert "Traceback" not in str(error)
    assert not (saved.parent / "evil.txt").exists()
    assert not list(saved.glob("written*"))


def mutated(content: bytes, randomly: random.Random) -> bytes:
    """Flip, cut out, repeat or truncate a few places of *content*."""
    changed = bytearray(content)
    for _ in range(randomly.choice((1, 3, 20))):
        place = randomly.randrange(len(changed))
        match randomly.randrange(4):
            case 0:
                changed[place] ^= 1 << randomly.randrange(8)
            case 1:
                del changed[place : place + randomly.randrange(1, 64)]
            case 2:
                changed[place:place] = changed[place : place + 32]
            case _:
                changed[place : place + 4] = randomly.randbytes(4)
    return bytes(changed)


def mutated_config(content: bytes, randomly: random.Random) -> bytes:
    """Change the configuration of a .keras file, which stays a sound zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, mutated(part, randomly) if name == "config.json" else part)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_damaged_files_give_errors_with_codes(saved: Path, tmp_path: Path, kind: str) -> None:
    randomly = random.Random(0)
    content = (saved / f"m.{kind}").read_bytes()
    paths = []
    for index in range(100):
        change = mutated_config if kind == "keras" and index % 2 else mutated
        path = tmp_path / f"{index}.{kind}"
        path.write_bytes(change(content, randomly))
        paths.append(path)
    found = answers(paths, tmp_path)
    assert len(found) == len(paths)
    codes = Counter(facts.get("code", "read") for facts in found)
    assert set(codes) <= {
        "read",  # damage to a weight, or to nothing that is read
        "MODEL_UNREADABLE",
        "MODEL_UNSUPPORTED",
        "MODEL_TOO_LARGE",
        "MODEL_FORMAT_UNKNOWN",
        "INPUT_SHAPE_NEEDED",
        "EXPORT_FROM_KERAS_FAILED",
    }
    assert codes["MODEL_UNREADABLE"] > 20


def loaded(name: str, **shapes: Shape) -> tuple[Counter[str], Any]:
    """Return the operators of a factory's canonical graph, and its interface."""
    source = read_source(f"{MODELS}:{name}", options(**shapes))
    return Counter(node.op_type for node in source.model.graph), source.interface


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("lstm", {"LSTM": 2, "Transpose": 1, "Reshape": 2, "Gemm": 1, "Softmax": 1}),
        ("gru", {"GRU": 2, "Transpose": 1, "Reshape": 2, "Gemm": 1, "Softmax": 1}),
        ("simple_rnn", {"RNN": 1, "Transpose": 1, "Reshape": 1, "Gemm": 1, "Softmax": 1}),
        ("backwards", {"LSTM": 1, "Transpose": 1, "Reshape": 1, "Gemm": 1, "Softmax": 1}),
    ],
)
def test_recurrent_layers_are_one_operator_each(name: str, operators: dict[str, int]) -> None:
    assert loaded(name)[0] == operators


@pytest.mark.slow
def test_both_directions_are_one_operator() -> None:
    operators, interface = loaded("bidirectional")
    assert (operators["LSTM"], operators["GRU"], operators["Loop"]) == (1, 1, 0)
    assert str(interface.inputs[0]) == "ids: int32[batch, 20]"


@pytest.mark.slow
def test_masked_recurrence_stays_a_loop_and_stays_right() -> None:
    assert loaded("masked")[0]["Loop"] == 2


@pytest.mark.slow
def test_attention_is_plain_operators_of_known_shape() -> None:
    operators, _ = loaded("attention")
    assert operators["LayerNormalization"] == 2
    assert operators["MatMul"] == 2
    assert not {"Shape", "Gather", "Einsum", "ReduceProd", "Cast"} & set(operators)


@pytest.mark.slow
def test_several_inputs_and_outputs_keep_their_names_and_order() -> None:
    _, interface = loaded("two_inputs")
    assert [str(spec) for spec in (*interface.inputs, *interface.outputs)] == [
        "aux: float32[batch, 5]",
        "img: float32[batch, 8, 8, 3] NHWC",
        "box: float32[batch, 2]",
        "cls: float32[batch, 4]",
    ]


@pytest.mark.slow
def test_subclassed_models_and_open_lengths_take_stated_shapes() -> None:
    _, interface = loaded("subclassed", features=(1, 7))
    assert str(interface.inputs[0]) == "features: float32[batch, 7]"
    _, interface = loaded("any_length", signal=(1, 32, 3))
    assert str(interface.inputs[0]) == "signal: float32[batch, 32, 3]"
    with pytest.raises(EdgecError) as caught:
        loaded("subclassed")
    assert caught.value.code is Code.INPUT_SHAPE_NEEDED


ACCURACY = {
    ("mlperf_resnet8_cifar10", "model.h5"): ("cifar10_exact_uint8_nhwc", 87.71),
    ("mlperf_dscnn_kws", "model.h5"): ("speech_commands12_mfcc_nhwc", 92.32),
    # other training runs than the ONNX file's: their weights differ
    ("mlperf_dscnn_kws", "saved_model"): ("speech_commands12_mfcc_nhwc", 92.18),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), ACCURACY)
def test_real_models_are_as_accurate_as_published(
    shared_data: Path, tmp_path: Path, name: str, form: str
) -> None:
    data, accuracy = ACCURACY[name, form]
    stored = np.load(shared_data / "sets" / f"{data}.npz")
    samples, labels = stored["x"].astype(np.float32), stored["y"].ravel()
    ir.save(read_source(str(shared_data / "models" / name / form)).model, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    (image,) = session.get_inputs()
    answers = session.run(None, {image.name: samples})[0]
    assert 100 * (answers.argmax(axis=1) == labels).mean() == pytest.approx(
        accuracy, abs=SAME_ACCURACY_POINTS
    )


def test_interface_of_the_raw_graph_is_the_users(saved: Path) -> None:
    interface = interface_of(load(saved / "m.h5", options()))
    assert [spec.name for spec in interface.inputs] == ["image"]
