"""Weights as safetensors, alone or as shards of a folder: plain tensors, no code."""

import json
from pathlib import Path

from torch import Tensor

from .._child.refusal import RefusalError, first_line

SUFFIX = ".safetensors"
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_LARGEST_INDEX = 64 << 20
_CONVERT = "load it where you trust it, and write model.save_pretrained(folder)"


def read_file(path: Path) -> dict[str, Tensor]:
    """Return the tensors of the file at *path* by name.

    Raises:
        RefusalError: ``WEIGHTS_MISMATCH`` for a file that is damaged or of another kind.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"this is not a readable safetensors file: {first_line(error)}",
            where=str(path),
            hint="copy or save it again",
        ) from error
    return tensors


def read_folder(folder: Path) -> dict[str, Tensor]:
    """Return the tensors of a model's *folder*: of its one file, or of the shards of its index."""
    if (folder / SINGLE).is_file():
        return read_file(folder / SINGLE)
    if not (folder / INDEX).is_file():
        other = sorted(path.name for path in folder.glob("*.bin")) or ["no weights"]
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"the folder has no '{SINGLE}' but {other[0]}",
            expected="weights as safetensors; pickles are not loaded",
            hint=_CONVERT,
        )
    tensors: dict[str, Tensor] = {}
    for shard in _shards(folder / INDEX):
        tensors.update(read_file(folder / shard))
    return tensors


def _shards(index: Path) -> list[str]:
    """Return the names of the files of *index*, which must lie beside it."""
    if index.stat().st_size > _LARGEST_INDEX:
        raise RefusalError("MODEL_TOO_LARGE", f"'{index.name}' is too long", where=str(index))
    try:
        names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusalError(
            "MODEL_UNREADABLE", f"'{index.name}' lists no shards", where=str(index)
        ) from error
    for name in names:
        plain = isinstance(name, str) and Path(name).name == name and name.endswith(SUFFIX)
        if not plain or not (index.parent / name).is_file():
            raise RefusalError(
                "MODEL_UNREADABLE",
                f"'{index.name}' names '{name}'",
                where=str(index),
                expected=f"{SUFFIX} files in the same folder",
            )
    return names
