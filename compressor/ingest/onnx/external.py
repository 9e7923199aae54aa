"""Data beside the model: only ordinary files inside its own folder, and long enough."""

from __future__ import annotations

from pathlib import Path

import onnx

from compressor.errors import Code, EdgecError
from compressor.ingest.onnx.tensors import byte_size


def check_external(tensor: onnx.TensorProto, path: Path) -> None:
    """Raise ``EXTERNAL_DATA`` for data elsewhere, behind links, or of another length."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    problem = _place_problem(location, path.parent) or _extent_problem(
        tensor, entries, path.parent / location
    )
    if problem:
        raise EdgecError(
            Code.EXTERNAL_DATA,
            f"external data '{location[:200]}' of tensor '{tensor.name}' {problem}",
            where=str(path),
            expected="an ordinary file inside the model's own folder",
            hint="copy the model together with its data files, or save it as one file",
        )


def _place_problem(location: str, folder: Path) -> str:
    """Links are refused even when they point inside: what they point at can change."""
    parts = Path(location).parts
    if not parts or Path(location).is_absolute() or ".." in parts or "\0" in location:
        return "leaves the model's folder"
    inner = [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    try:
        if any(step.is_symlink() for step in inner):
            return "is a symbolic link"
        return "" if inner[-1].is_file() else "does not exist or is not a file"
    except OSError as error:
        return f"cannot be opened: {error.strerror}"


def _extent_problem(tensor: onnx.TensorProto, entries: dict[str, str], target: Path) -> str:
    size = target.stat().st_size
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", size - offset))
        needed = byte_size(tensor)
    except ValueError:
        return "has an offset or length that is no number, or no known type"
    if offset < 0 or length < 0 or offset + length > size:
        return f"is shorter than the declared {offset + length:,} bytes"
    if needed > length or ("length" in entries and needed != length):
        return f"has {length:,} bytes, and the tensor needs {needed:,}"
    return ""
