"""``m.keras``: a zip of a configuration and an HDF5 file of weights."""

import io
import json
import zipfile
from pathlib import PurePosixPath

import h5py
import keras

from .._child.request import Request
from .config import check_config
from .damage import check_size, reading, unreadable
from .hdf5 import check_contents

WHAT = ".keras file"
_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
_MOST_MEMBERS = 10_000
_LARGEST_CONFIG = 256 << 20


def load_archive(request: Request) -> keras.Model:
    """Load the model in safe mode, after its members, configuration and weights are checked."""
    with reading(WHAT), zipfile.ZipFile(request.source) as archive:
        _check_members(archive)
        check_config(json.loads(archive.read(_CONFIG)).get("config"))
        with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as weights:
            check_contents(weights, archive.getinfo(_WEIGHTS).file_size)
    with reading(WHAT):
        return keras.saving.load_model(request.source, compile=False, safe_mode=True)


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(members) > _MOST_MEMBERS or len(set(names)) < len(names):
        raise unreadable(WHAT, "its members are not distinct, or too many")
    for name in (_CONFIG, _WEIGHTS):
        if name not in names:
            raise unreadable(WHAT, f"it has no '{name}'")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise unreadable(WHAT, f"the member '{member.filename}' leads out of it")
        check_size(WHAT, member.file_size, member.compress_size)
    if archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG:
        raise unreadable(WHAT, "its configuration is too long")
