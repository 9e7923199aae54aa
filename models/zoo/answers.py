"""What the framework itself answers for a model of the zoo."""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.zoo.entries import Array, Entry, Feeds


def answers_of(entry: Entry, batches: Sequence[Feeds]) -> list[list[Array]]:
    """Return the outputs, in order, of the model of *entry* for each of *batches*."""
    own = importlib.import_module(f"models.zoo.{entry.file}")
    model = getattr(own, entry.factory)()
    run = _run_keras if entry.package == "keras" else _run_torch
    return [run(model, feeds) for feeds in batches]


def _run_keras(model: Any, feeds: Feeds) -> list[Array]:  # noqa: ANN401 - Keras is untyped
    (given,) = feeds.values()
    return [np.asarray(model(given, training=False))]


def _run_torch(model: Any, feeds: Feeds) -> list[Array]:  # noqa: ANN401 - torch is untyped
    import torch

    known = inspect.signature(model.forward).parameters
    inputs = _nested({name: torch.from_numpy(array) for name, array in feeds.items()})
    with torch.no_grad():
        by_name = set(inputs) <= set(known)
        result = model(**inputs) if by_name else model(*inputs.values())
    return [tensor.numpy() for tensor in _flat(result)]


def _nested(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``past.0.key`` into a mapping of lists of mappings."""
    found: dict[str, Any] = {}
    for path, tensor in tensors.items():
        *folders, last = path.split(".")
        place = found
        for name in folders:
            place = place.setdefault(name, {})
        place[last] = tensor
    return {name: _listed(part) for name, part in found.items()}


def _listed(part: Any) -> Any:  # noqa: ANN401 - tensors, nested
    if not isinstance(part, dict):
        return part
    values = {name: _listed(inner) for name, inner in part.items()}
    return list(values.values()) if all(name.isdecimal() for name in values) else values


def _flat(result: Any) -> list[Any]:  # noqa: ANN401 - tensors, nested
    if isinstance(result, Mapping):
        result = list(result.values())
    if not isinstance(result, list | tuple):
        return [] if result is None else [result]
    return [tensor for part in result for tensor in _flat(part)]
