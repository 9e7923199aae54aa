"""Example inputs: from stated shapes, from the user's own examples, or from a traced program."""

import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .._child.refusal import RefusalError
from .._child.request import Request
from .nesting import Nested, leaves, mapped
from .subject import EXAMPLE_BATCH

EXAMPLES = "example_inputs"
_MASK = "attention_mask"
# What the shapes of other inputs than images look like.
_USUAL = {"input_ids": "1,128", "input_features": "1,80,3000", "input_values": "1,16000"}


def example_inputs(
    module: nn.Module,
    own: ModuleType,
    request: Request,
) -> tuple[dict[str, Nested], list[str]]:
    """Return example inputs by forward() parameter, and the names that ONNX gives their tensors."""
    parameters = inspect.signature(module.forward).parameters.values()
    names = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    required = [p.name for p in parameters if p.name in names and p.default is p.empty]
    if request.shapes:
        return from_shapes(request.shapes, names, required)
    if hasattr(own, EXAMPLES):
        given = own.example_inputs()
        given = given if isinstance(given, Mapping) else dict(zip(names, given, strict=False))
        return two_samples(dict(given)), list(leaves(given))
    raise shape_needed((required or names or ["input"])[0])


def from_shapes(
    shapes: Mapping[str, Sequence[int]], names: list[str], required: list[str]
) -> tuple[dict[str, Tensor], list[str]]:
    """Match the stated *shapes* to parameters: by name, or in order when no name agrees."""
    by_name = any(name in names for name in shapes)
    if not by_name and len(shapes) == len(required):
        pairs = list(zip(required, shapes, strict=True))
    else:
        unknown = [name for name in shapes if name not in names]
        if unknown:
            raise unknown_input(unknown[0], names)
        pairs = [(name, name) for name in names if name in shapes]
    for name in required:
        if name not in {parameter for parameter, _ in pairs}:
            raise shape_needed(name)
    inputs = {p: torch.randn(EXAMPLE_BATCH, *shapes[given][1:]) for p, given in pairs}
    return inputs, [given for _, given in pairs]


def from_model(model: Any, shapes: Mapping[str, Sequence[int]]) -> dict[str, Nested]:  # noqa: ANN401
    """Return examples for a model of transformers: stated *shapes*, or the image that it is for.

    Token ids and masks are integers. Beside ids, the mask that every tokenizer gives is taken.
    """
    known = list(inspect.signature(model.forward).parameters)
    main = model.main_input_name
    stated = dict(shapes) or _image_of(model)
    for name in stated:
        if name not in known:
            raise unknown_input(name, known)
    if main not in stated:
        raise shape_needed(main, _USUAL.get(main, "1,3,224,224"))
    if main == "input_ids" and _MASK in known:
        stated.setdefault(_MASK, stated[main])
    vocabulary = int(getattr(model.config, "vocab_size", 2) or 2)
    return {name: _drawn(name, shape, vocabulary) for name, shape in stated.items()}


def _image_of(model: Any) -> dict[str, Sequence[int]]:  # noqa: ANN401 - of transformers
    size = getattr(model.config, "image_size", None)
    if model.main_input_name != "pixel_values" or not size:
        return {}
    sides = list(size) if isinstance(size, list | tuple) else [size, size]
    return {"pixel_values": [1, getattr(model.config, "num_channels", 3), *sides]}


def _drawn(name: str, shape: Sequence[int], vocabulary: int) -> Tensor:
    dims = (EXAMPLE_BATCH, *shape[1:])
    if name.endswith("mask"):
        return torch.ones(dims, dtype=torch.int64)
    if name.endswith("ids"):
        most = vocabulary if name == "input_ids" else 1
        return torch.randint(0, most, dims)
    return torch.randn(dims)


def two_samples(inputs: dict[str, Nested]) -> dict[str, Nested]:
    """Repeat examples of one sample: torch takes a length of one for a constant when tracing."""
    if not all(value.ndim and len(value) == 1 for value in leaves(inputs).values()):
        return inputs
    return {
        name: mapped(value, lambda tensor: tensor.repeat_interleave(EXAMPLE_BATCH, 0))
        for name, value in inputs.items()
    }


def unknown_input(name: str, known: Sequence[str]) -> RefusalError:
    """Return the refusal of a shape for *name*, which is none of the *known* inputs."""
    return RefusalError(
        "USAGE",
        f"the model has no input '{name}'",
        expected=f"one of: {', '.join(known)}",
        hint="name them as the parameters of forward()",
    )


def shape_needed(name: str, usual: str = "1,3,224,224") -> RefusalError:
    """Return the refusal that asks for the shape of input *name*, such as the *usual* one."""
    return RefusalError(
        "INPUT_SHAPE_NEEDED",
        f"the shape of input '{name}' is not stated",
        hint=f"give it: --input-shape {name}={usual}, or define {EXAMPLES}() in the file",
    )


def example_of(value: object) -> Tensor:
    """Make an input like the traced *value*; free dimensions get the example batch."""
    if not isinstance(value, Tensor):
        raise RefusalError("MODEL_UNSUPPORTED", "the program takes an input that is not a tensor")
    shape = [dim if isinstance(dim, int) else EXAMPLE_BATCH for dim in value.shape]
    floating = value.dtype.is_floating_point
    return (
        torch.randn(shape, dtype=value.dtype) if floating else torch.ones(shape, dtype=value.dtype)
    )
