"""Run a framework in a process of its own, so that its memory and chatter go away with it.

The child (``_child`` with ``_torch`` and ``_keras``) exports to ONNX and checks the result against
the framework; what crosses between the processes is JSON and an ONNX file in a private folder.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest import onnx
from compressor.ingest.notes import add_notes
from compressor.ingest.options import IngestOptions

# Loads this folder as a package of a name that no module of the user has.
_BOOTSTRAP = """
import sys, types
package = types.ModuleType("_edgec_ingest")
package.__path__ = [sys.argv.pop()]
sys.modules["_edgec_ingest"] = package
from _edgec_ingest._child.program import main
main()
"""
# Quiet and repeatable TensorFlow, which is the only backend of Keras that can be exported.
_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


def require(package: str, path: Path) -> None:
    """Raise ``EXTRA_MISSING`` unless *package*, which the model at *path* needs, is installed."""
    if importlib.util.find_spec(package) is None:
        extra, name = _EXTRAS[package]
        raise EdgecError(
            Code.EXTRA_MISSING,
            f"'{path.name}' needs {name}, which is not installed",
            hint=f"pip install 'edgec[{extra}]'",
        )


_EXTRAS = {
    "torch": ("torch", "PyTorch"),
    "tensorflow": ("keras", "TensorFlow"),
    "tf2onnx": ("keras", "tf2onnx"),
    "transformers": ("transformers", "the package transformers"),
    "safetensors": ("transformers", "the package safetensors"),
}


def export(
    source: Path,
    options: IngestOptions,
    *,
    framework: str = "",
    factory: str = "",
    environment: Mapping[str, str] | None = None,
    on_death: Code,
) -> ir.Model:
    """Let the child write the model as ONNX, and read that.

    Args:
        source: the model's file or folder, or the Python file that makes it.
        options: weights and input shapes.
        framework: "torch" or "keras"; for a factory its result says.
        factory: what to call in *source*.
        environment: variables of the child beside those of this process.
        on_death: the code to raise when the child dies without an answer.

    Raises:
        EdgecError: what the child answers, or *on_death*.
    """
    with tempfile.TemporaryDirectory(prefix="edgec-") as temporary:
        folder = Path(temporary)
        request = {
            "framework": framework,
            "source": str(source.absolute()),
            "factory": factory,
            "weights": str(options.weights.absolute()) if options.weights else None,
            "shapes": dict(options.input_shapes),
            "folder": str(folder),
        }
        with (folder / "log.txt").open("wb") as chatter:
            done = subprocess.run(
                [sys.executable, "-P", "-c", _BOOTSTRAP, str(Path(__file__).parent)],
                input=json.dumps(request).encode(),
                stdout=chatter,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_ENVIRONMENT, **(environment or {})},
                check=False,
            )
        notes = _notes(folder, done.returncode, on_death, where=str(source))
        model = onnx.load(folder / "model.onnx", IngestOptions(), mapped=False)
        add_notes(model, notes)
        return model


def _notes(folder: Path, status: int, on_death: Code, *, where: str) -> list[str]:
    """Return what the child noted; raise the error that it answered, or *on_death*."""
    try:
        facts: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    except (OSError, ValueError):
        lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
        raise EdgecError(
            on_death,
            f"the process that reads the model ended with status {status}",
            where=where,
            expected=lines[-1] if lines else "",
            hint="is there enough memory, and does the framework import in Python?",
        ) from None
    if "code" in facts:
        raise EdgecError(Code[facts.pop("code")], facts.pop("what"), **facts)
    return [str(note) for note in facts["notes"]]
