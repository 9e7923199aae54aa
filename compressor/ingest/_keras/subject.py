"""A model with all that is needed to run and export it, whatever it came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from .._child.refusal import RefusalError

Tensors = list[tf.Tensor]
Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A function of tensors.

    Attributes:
        run: takes one tensor an input, in order, and returns one tensor an output.
        inputs: name, shape (None for a free batch axis) and type of each input.
        outputs: name of each output.
    """

    run: Callable[..., Tensors]
    inputs: Sequence[tf.TensorSpec]
    outputs: Sequence[str]


def completed(specs: Sequence[tf.TensorSpec], shapes: Shapes) -> list[tf.TensorSpec]:
    """Fill what *specs* leave open with the *shapes* that the user states; the batch stays open."""
    known = [spec.name for spec in specs]
    unknown = [name for name in shapes if name not in known]
    if unknown:
        raise RefusalError(
            "USAGE",
            f"the model has no input '{unknown[0]}'",
            expected=f"one of: {', '.join(known)}",
            hint="write --input-shape NAME=1,224,224,3 with one of these names",
        )
    return [_completed(spec, shapes.get(spec.name)) for spec in specs]


def _completed(spec: tf.TensorSpec, given: Sequence[int] | None) -> tf.TensorSpec:
    if not (spec.dtype.is_floating or spec.dtype.is_integer or spec.dtype.is_bool):
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"input '{spec.name}' takes {spec.dtype.name} values",
            expected="numbers; text and records must be preprocessed outside of the model",
        )
    own = spec.shape.as_list() if spec.shape.rank is not None else None
    if given is None:
        if own is None or None in own[1:]:
            raise shape_needed(spec.name, own)
        return spec
    if own is None:
        return tf.TensorSpec([None, *given[1:]], spec.dtype, name=spec.name)
    fits = len(own) == len(given) and all(
        have in (None, want) for have, want in zip(own, given, strict=True)
    )
    if not fits:
        raise RefusalError(
            "USAGE",
            f"--input-shape {list(given)} contradicts the model, which takes {written(own)}",
            where=f"input '{spec.name}'",
            expected="the same rank, and the lengths that the model states",
        )
    return tf.TensorSpec([own[0], *given[1:]], spec.dtype, name=spec.name)


def shape_needed(name: str, own: Sequence[int | None] | None = None) -> RefusalError:
    """Return the refusal that asks for the shape of input *name*."""
    stated = "" if own is None else f" beyond {written(own)}"
    return RefusalError(
        "INPUT_SHAPE_NEEDED",
        f"the shape of input '{name}' is not stated{stated}",
        hint=f"give it: --input-shape {name}=1,224,224,3",
    )


def written(shape: Sequence[int | None]) -> str:
    """Return *shape* as a person writes it: ``[batch, ?, 3]``."""
    first, *rest = ("?" if dim is None else str(dim) for dim in shape)
    return f"[{', '.join(['batch' if first == '?' else first, *rest])}]"


def unique(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Return *names* with a number behind those that occur twice or are *taken*."""
    found: list[str] = []
    for name in names:
        free, count = name, 1
        while free in (*found, *taken):
            free, count = f"{name}_{count}", count + 1
        found.append(free)
    return found
