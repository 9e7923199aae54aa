"""Tensors in dicts, lists and tuples, as models take and give them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor

from .._child.refusal import RefusalError

# A tensor, or a mapping or sequence of such.
Nested = Any


def leaves(nested: Nested, name: str = "") -> dict[str, Tensor]:
    """Return the tensors of *nested* in order, by their path: ``past.0.key``; None is left out."""
    if isinstance(nested, Tensor):
        return {name: nested}
    if nested is None:
        return {}
    if isinstance(nested, Mapping):
        parts = [(str(key), part) for key, part in nested.items()]
    elif isinstance(nested, list | tuple):
        parts = [(str(index), part) for index, part in enumerate(nested)]
    else:
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"forward() takes or gives a {type(nested).__name__}, not tensors",
            expected="tensors, or dicts, lists and tuples of tensors",
        )
    found: dict[str, Tensor] = {}
    for key, part in parts:
        found.update(leaves(part, f"{name}.{key}" if name else key))
    return found


def mapped(nested: Nested, change: Callable[[Tensor], Any]) -> Nested:
    """Return *nested* with *change* made to each of its tensors."""
    if isinstance(nested, Tensor):
        return change(nested)
    if isinstance(nested, Mapping):
        return {key: mapped(part, change) for key, part in nested.items()}
    if isinstance(nested, list | tuple):
        parts = [mapped(part, change) for part in nested]
        return type(nested)(parts) if type(nested) in {list, tuple} else parts
    return nested


def filled(nested: Nested, tensors: Iterable[Tensor]) -> Nested:
    """Return *nested* with its tensors replaced, in order, by *tensors*."""
    given = iter(tensors)
    return mapped(nested, lambda _: next(given))
