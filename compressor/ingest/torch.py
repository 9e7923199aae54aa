"""PyTorch models: a ``.pt2`` exported program, or ``file.py:factory``.

torch runs in a child process, so that its memory, its chatter and the user's own modules go away
with it. The child exports to ONNX, checks the result against torch, and the parent reads it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest import onnx
from compressor.ingest.options import IngestOptions

_PROGRAM = Path(__file__).with_name("_torch")
# Loads that folder under a name that no module of the user has.
_BOOTSTRAP = """
import importlib.util, sys
folder = sys.argv.pop()
spec = importlib.util.spec_from_file_location(
    "_edgec_torch", folder + "/__init__.py", submodule_search_locations=[folder]
)
sys.modules["_edgec_torch"] = importlib.util.module_from_spec(spec)
from _edgec_torch.program import main
main()
"""
_WEIGHT_SUFFIXES = frozenset({".pt", ".pth", ".ckpt"})
_FACTORY = "file.py:factory, a callable that returns a torch.nn.Module"


def accepts(path: Path) -> bool:
    """Whether *path* is ``m.pt2`` or ``file.py:factory``, or something that lacks half of that."""
    is_code = ".py" in {path.suffix, _file_of(path).suffix}
    return is_code or path.suffix == ".pt2" or path.suffix in _WEIGHT_SUFFIXES


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Export the PyTorch model named by *path* to ONNX and read it.

    The factory's file may define ``example_inputs()``, which returns tensors by forward()
    parameter and so states shapes and types, and ``OUTPUT_NAMES``. Inputs are called as the
    parameters of forward(), or as ``--input-shape`` names them.

    Raises:
        EdgecError: ``EXTRA_MISSING`` without torch; ``FACTORY_FAILED``, ``WEIGHTS_MISMATCH``,
            ``INPUT_SHAPE_NEEDED`` or ``MODEL_UNREADABLE`` for a fault in what was given;
            ``EXPORT_FROM_TORCH_FAILED`` when torch cannot make a graph that answers as the model.
    """
    _refuse_incomplete(path, options)
    _require_torch(path)
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        _export(path, options, Path(folder))
        return onnx.load(Path(folder) / "model.onnx", IngestOptions())


def _file_of(path: Path) -> Path:
    return Path(str(path).rpartition(":")[0])


def _refuse_incomplete(path: Path, options: IngestOptions) -> None:
    if path.suffix in _WEIGHT_SUFFIXES:
        raise EdgecError(
            Code.MODEL_FORMAT_UNKNOWN,
            f"'{path.name}' holds weights (or a pickled module, which is never loaded)",
            where=str(path),
            expected=f"the model that they belong to: {_FACTORY}",
            hint=f"edgec compile model.py:build --weights {path.name}",
        )
    if path.suffix == ".py":
        raise EdgecError(
            Code.MODEL_FORMAT_UNKNOWN,
            f"'{path.name}' does not say what to call in the file",
            where=str(path),
            expected=_FACTORY,
        )
    if options.weights is not None and path.suffix == ".pt2":
        raise EdgecError(
            Code.USAGE,
            "a .pt2 file has its own weights",
            where="--weights",
            expected=f"no --weights, or {_FACTORY}",
        )
    if options.weights is not None and not options.weights.is_file():
        raise EdgecError(
            Code.MODEL_NOT_FOUND, "there is no such checkpoint", where=str(options.weights)
        )


def _require_torch(path: Path) -> None:
    if importlib.util.find_spec("torch") is None:
        raise EdgecError(
            Code.EXTRA_MISSING,
            f"'{path.name}' needs PyTorch, which is not installed",
            hint="pip install 'edgec[torch]'",
        )


def _export(path: Path, options: IngestOptions, folder: Path) -> None:
    is_program = path.suffix == ".pt2"
    source = path if is_program else _file_of(path)
    request = {
        "source": str(source.absolute()),
        "factory": None if is_program else str(path).rpartition(":")[2],
        "weights": str(options.weights.absolute()) if options.weights else None,
        "shapes": dict(options.input_shapes),
        "folder": str(folder),
    }
    # A .pt2 file is data: torch must not fall back to unpickling it.
    forced = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"} if is_program else {}
    log = folder / "log.txt"
    with log.open("wb") as chatter:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _BOOTSTRAP, str(_PROGRAM)],
            input=json.dumps(request).encode(),
            stdout=chatter,
            stderr=subprocess.STDOUT,
            env=os.environ | forced,
            check=False,
        )
    _raise_failure(folder / "result.json", log, status=done.returncode, where=str(path))


def _raise_failure(result: Path, log: Path, *, status: int, where: str) -> None:
    try:
        facts: dict[str, str] = json.loads(result.read_bytes())
    except (OSError, ValueError):
        lines = log.read_text(errors="replace").strip().splitlines()
        raise EdgecError(
            Code.EXPORT_FROM_TORCH_FAILED,
            f"the process that runs torch ended with status {status}",
            where=where,
            expected=lines[-1] if lines else "",
            hint="is there enough memory, and does `python -c 'import torch'` work?",
        ) from None
    if facts:
        raise EdgecError(Code[facts.pop("code")], facts.pop("what"), **facts)
