"""What a saved configuration may name: the layers of Keras itself, and none that run code.

Keras refuses the same in its safe mode; this check comes first, and says how to proceed.
"""

from collections.abc import Iterator
from typing import Any

import keras

from .._child.refusal import RefusalError

# Layers that hold code, or read files that the configuration names.
_REFUSED = {
    "Lambda": "holds Python code, which is never run from a file",
    "TFSMLayer": "loads another folder",
    "TorchModuleWrapper": "holds a pickle, which is never loaded",
    "JaxLayer": "holds another framework's program",
    "FlaxLayer": "holds another framework's program",
    "StringLookup": "works on text and may read vocabulary files",
    "IntegerLookup": "may read vocabulary files",
    "TextVectorization": "works on text and may read vocabulary files",
}
# Markers of plain values, and the models, which are no layers.
_PLAIN = frozenset({"__tuple__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "slice"})
_MODELS = frozenset({"Model", "Functional", "Sequential"})
_DEEPEST = 200
_HINT = (
    "make the model in Python and give it as file.py:factory, or save it with "
    "model.export('folder') and give the folder"
)


def check_config(config: object) -> None:
    """Refuse a *config* that names custom objects, or layers that hold code or read files."""
    for entry in _objects(config, _DEEPEST):
        name, module = str(entry["class_name"]), str(entry.get("module") or "keras")
        if name in _REFUSED:
            raise refused(f"layer '{_called(entry)}' of type {name} {_REFUSED[name]}")
        if name in _PLAIN or name == "function":
            continue
        if module != "keras" and not module.startswith("keras."):
            raise refused(f"it uses the custom object '{module}.{name}'")
        if ">" in name or ">" in str(entry.get("registered_name") or ""):
            raise refused(f"it uses the custom object '{entry.get('registered_name') or name}'")


def check_layers(config: object) -> None:
    """Refuse layers that Keras does not have, in the form of .h5 files, which names no modules."""
    for entry in _objects(config, _DEEPEST):
        layers = entry["config"].get("layers") if isinstance(entry.get("config"), dict) else None
        for layer in layers if isinstance(layers, list) else []:
            name = layer.get("class_name") if isinstance(layer, dict) else None
            if isinstance(name, str) and name not in _MODELS and not hasattr(keras.layers, name):
                raise refused(f"it uses '{name}', which is no layer of Keras {keras.__version__}")


def refused(what: str) -> RefusalError:
    """Return the refusal of a model of which *what* holds."""
    return RefusalError(
        "MODEL_UNSUPPORTED",
        f"the model is not only made of Keras's own layers: {what}",
        expected="built-in layers without Python code",
        hint=_HINT,
    )


def _objects(config: object, depth: int) -> Iterator[dict[str, Any]]:
    """Yield every serialized object in *config*."""
    if depth == 0:
        raise RefusalError("MODEL_TOO_LARGE", f"its configuration nests deeper than {_DEEPEST}")
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from _objects(value, depth - 1)
    elif isinstance(config, list):
        for value in config:
            yield from _objects(value, depth - 1)


def _called(entry: dict[str, Any]) -> str:
    inner = entry.get("config")
    return str(inner.get("name", "")) if isinstance(inner, dict) else ""
