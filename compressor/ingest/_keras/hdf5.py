"""``m.h5``: Keras's older format, an HDF5 file with the configuration as an attribute."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras

from .._child.refusal import RefusalError
from .._child.request import Request
from .config import check_config, check_layers
from .damage import check_size, reading, unreadable

WHAT = "Keras .h5 file"
_CONFIG = "model_config"
_MOST_OBJECTS = 200_000
# Settings of training. Those of old files name classes that have changed since.
_TRAINING = ("_initializer", "_regularizer", "_constraint")


def load_hdf5(request: Request) -> keras.Model:
    """Load the model in safe mode from a copy without settings of training."""
    copy = request.folder / "model.h5"
    with reading(WHAT):
        with h5py.File(request.source, "r") as file:
            check_contents(file, request.source.stat().st_size)
            config = _read_config(file, request.source)
        check_config(config)
        check_layers(config)
        shutil.copyfile(request.source, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs[_CONFIG] = json.dumps(_for_inference(config))
    try:
        return keras.saving.load_model(copy, compile=False, safe_mode=True)
    except (TypeError, KeyError) as error:
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"Keras {keras.__version__} cannot rebuild this model: {_last_line(error)}",
            expected="a configuration that this version of Keras understands",
            hint="load it with the TensorFlow that wrote it, save it as a SavedModel, "
            "and give that folder",
        ) from error
    except (ValueError, OSError, RuntimeError, AttributeError, IndexError) as error:
        raise unreadable(WHAT, _last_line(error)) from error
    finally:
        copy.unlink(missing_ok=True)


def check_contents(file: h5py.File, stored: int) -> None:
    """Refuse links and data outside of *file*, and more data than *stored* bytes can hold."""
    datasets: list[h5py.Dataset] = []
    links: list[str] = []

    def see_link(name: str, link: object) -> bool | None:
        links.append(name)
        inside = isinstance(link, h5py.HardLink) and len(links) <= _MOST_OBJECTS
        return None if inside else True

    def see_object(_: str, found: object) -> None:
        if isinstance(found, h5py.Dataset):
            datasets.append(found)

    if file.visititems_links(see_link):
        raise unreadable(WHAT, f"'{links[-1]}' is a link to elsewhere, or one too many")
    file.visititems(see_object)
    for dataset in datasets:
        if dataset.external or dataset.is_virtual:
            raise unreadable(WHAT, f"'{dataset.name}' lies in another file")
        if dataset.dtype.hasobject and h5py.check_string_dtype(dataset.dtype) is None:
            raise unreadable(WHAT, f"'{dataset.name}' holds objects")
    check_size(WHAT, sum(dataset.nbytes for dataset in datasets), stored)


def _read_config(file: h5py.File, source: Path) -> dict[str, Any]:
    raw = file.attrs.get(_CONFIG)
    if raw is None:
        raise RefusalError(
            "MODEL_FORMAT_UNKNOWN",
            f"'{source.name}' holds weights and no model",
            expected="the model that they belong to: file.py:factory",
            hint=f"edgec compile model.py:build --weights {source.name}",
        )
    config = json.loads(raw)
    if not isinstance(config, dict):
        raise unreadable(WHAT, "its configuration is no mapping")
    return config


def _for_inference(config: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(config, dict):
        return {
            key: _for_inference(value)
            for key, value in config.items()
            if not (key.endswith(_TRAINING) or key == "activity_regularizer")
        }
    return [_for_inference(value) for value in config] if isinstance(config, list) else config


def _last_line(error: BaseException) -> str:
    """Keras states the cause last: ``Exception encountered: ...``."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Exception encountered")]
    return (causes or lines or [type(error).__name__])[-1 if causes else 0]
