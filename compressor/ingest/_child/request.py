"""What the parent asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True, kw_only=True)
class Request:
    """One model to write as ``model.onnx`` in *folder*.

    Attributes:
        framework: name of the package that reads *source*; empty for a factory, whose result says.
        source: the model's file or folder, or the Python file that makes it.
        factory: what to call in that file; empty when *source* is the model itself.
        weights: a checkpoint to load into what the factory returns.
        shapes: shapes of inputs by name, as the user states them.
        folder: private folder for all that is written.
    """

    framework: str
    source: Path
    factory: str
    weights: Path | None
    shapes: Mapping[str, Sequence[int]]
    folder: Path

    @property
    def model(self) -> Path:
        """Where the ONNX file is to be."""
        return self.folder / "model.onnx"


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a user's factory returned, and the file it stands in."""

    model: object
    own: ModuleType
