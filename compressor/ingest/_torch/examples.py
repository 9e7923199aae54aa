"""Example inputs: from stated shapes, from the user's own examples, or from a traced program."""

import inspect
from collections.abc import Mapping, Sequence
from types import ModuleType

import torch
from torch import Tensor, nn

from .._child.refusal import RefusalError
from .._child.request import Request
from .subject import EXAMPLE_BATCH

EXAMPLES = "example_inputs"


def example_inputs(
    module: nn.Module,
    own: ModuleType,
    request: Request,
) -> tuple[dict[str, Tensor], list[str]]:
    """Return example inputs by forward() parameter, and the names that ONNX gives them."""
    parameters = inspect.signature(module.forward).parameters.values()
    names = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    required = [p.name for p in parameters if p.name in names and p.default is p.empty]
    if request.shapes:
        return from_shapes(request.shapes, names, required)
    if hasattr(own, EXAMPLES):
        given = own.example_inputs()
        given = given if isinstance(given, Mapping) else dict(zip(names, given, strict=False))
        return two_samples(dict(given)), list(given)
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
            raise RefusalError(
                "USAGE",
                f"the model has no input '{unknown[0]}'",
                expected=f"one of: {', '.join(names)}",
                hint="name them as the parameters of forward()",
            )
        pairs = [(name, name) for name in names if name in shapes]
    for name in required:
        if name not in {parameter for parameter, _ in pairs}:
            raise shape_needed(name)
    inputs = {p: torch.randn(EXAMPLE_BATCH, *shapes[given][1:]) for p, given in pairs}
    return inputs, [given for _, given in pairs]


def two_samples(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Repeat examples of one sample: torch takes a length of one for a constant when tracing."""
    if not all(value.ndim and len(value) == 1 for value in inputs.values()):
        return inputs
    return {name: value.repeat_interleave(EXAMPLE_BATCH, 0) for name, value in inputs.items()}


def shape_needed(name: str) -> RefusalError:
    """Return the refusal that asks for the shape of input *name*."""
    return RefusalError(
        "INPUT_SHAPE_NEEDED",
        f"the shape of input '{name}' is not stated",
        hint=f"give it: --input-shape {name}=1,3,224,224, or define {EXAMPLES}() in the file",
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
