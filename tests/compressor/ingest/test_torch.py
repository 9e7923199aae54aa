import ast
import importlib.util
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions, Shape
from compressor.ingest.torch import accepts, load
from compressor.ir.interface import interface_of

torch = pytest.importorskip("torch")


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
    [
        ("m.pt2", True),
        ("weights.pth", True),
        ("net.py:build", False),
        ("m.onnx", False),
        ("m.tflite", False),
    ],
)
def test_accepts_by_name(name: str, taken: bool) -> None:
    assert accepts(Path("folder") / name) is taken


def test_half_of_a_model_is_refused_with_the_other_half(tmp_path: Path) -> None:
    error = refusal(tmp_path / "w.pt", options())
    assert error.code is Code.MODEL_FORMAT_UNKNOWN
    assert "--weights w.pt" in error.hint


def test_missing_torch_names_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    error = refusal(tmp_path / "m.pt2", options())
    assert error.code is Code.EXTRA_MISSING
    assert "pip install 'edgec[torch]'" in error.hint


def test_weights_are_for_factories(tmp_path: Path) -> None:
    assert refusal(tmp_path / "m.pt2", options(tmp_path / "w.pt")).code is Code.USAGE


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.target,)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pt2") / "m.pt2"
    batch = torch.export.Dim("n")
    exported = torch.export.export(
        torch.nn.Linear(4, 3), (torch.zeros(2, 4),), dynamic_shapes=({0: batch},)
    )
    torch.export.save(exported, path)
    return path


@pytest.mark.slow
def test_exported_program_states_its_own_shapes(program: Path) -> None:
    assert shapes_of(load(program, options())) == {"input": ("batch", 4), "output": ("batch", 3)}


def rewritten(program: Path, target: Path, suffix: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith(suffix) else content)
    return target


def test_exported_program_with_a_pickle_is_never_loaded(program: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"inputs": Evil(tmp_path / "pwned")}, buffer)
    samples = rewritten(
        program, tmp_path / "samples.pt2", "sample_inputs/model.pt", lambda _: buffer.getvalue()
    )
    opaque = rewritten(
        program,
        tmp_path / "opaque.pt2",
        "model_constants_config.json",
        lambda _: (
            b'{"config": {"evil": {"path_name": "opaque_obj_0", "is_param": false, '
            b'"use_pickle": true, "tensor_meta": null}}}'
        ),
    )
    with zipfile.ZipFile(opaque, "a") as archive:
        folder = next(n for n in archive.namelist() if "constants" in n).rpartition("/")[0]
        archive.writestr(f"{folder}/opaque_obj_0", pickle.dumps(Evil(tmp_path / "pwned")))
    for path in (samples, opaque):
        error = refusal(path, options())
        assert error.code is Code.MODEL_UNREADABLE
        assert "pickled" in error.what
    assert not (tmp_path / "pwned").exists()


@pytest.mark.slow
def test_truncated_program_is_unreadable(program: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.pt2").write_bytes(program.read_bytes()[:1000])
    assert refusal(tmp_path / "cut.pt2", options()).code is Code.MODEL_UNREADABLE


def test_a_factory_needs_no_transformers(repository: Path) -> None:
    """The module that reads its folders is imported for these alone."""
    reader = repository / "compressor" / "ingest" / "_torch" / "reader.py"
    top = [node for node in ast.parse(reader.read_text()).body if isinstance(node, ast.ImportFrom)]
    assert "folder" not in {node.module for node in top}
