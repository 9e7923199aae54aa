"""``file.py:factory``: a callable of the user's that returns a PyTorch or a Keras model."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest import child
from compressor.ingest.options import IngestOptions

_EXPECTED = "file.py:factory, a callable that returns a torch.nn.Module or a Keras model"


def accepts(path: Path) -> bool:
    """Whether *path* is ``file.py:factory``, or ``file.py`` without the half that it needs."""
    return ".py" in {path.suffix, _split(path)[0].suffix}


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Run the factory in a child process, export what it returns to ONNX and read that.

    Which framework the model belongs to is known when it is made; no other is imported. The file
    may define ``example_inputs()``, which returns example inputs by name and so states shapes
    and types, and for PyTorch ``OUTPUT_NAMES``. PyTorch's inputs are called as the parameters of
    forward(), or as ``--input-shape`` names them; Keras names its own.

    Raises:
        EdgecError: ``EXTRA_MISSING`` without the framework; ``FACTORY_FAILED``,
            ``WEIGHTS_MISMATCH`` or ``INPUT_SHAPE_NEEDED`` for a fault in what was given;
            ``EXPORT_FROM_TORCH_FAILED`` or ``EXPORT_FROM_KERAS_FAILED`` when the framework cannot
            make a graph that answers as the model.
    """
    source, factory = _split(path)
    if source.suffix != ".py" or not factory:
        raise EdgecError(
            Code.MODEL_FORMAT_UNKNOWN,
            f"'{path.name}' does not say what to call in the file",
            where=str(path),
            expected=_EXPECTED,
        )
    if options.weights is not None and not options.weights.exists():
        raise EdgecError(
            Code.MODEL_NOT_FOUND, "there is no such checkpoint", where=str(options.weights)
        )
    return child.export(source, options, factory=factory, on_death=Code.FACTORY_FAILED)


def _split(path: Path) -> tuple[Path, str]:
    file, _, factory = str(path).rpartition(":")
    return Path(file), factory
