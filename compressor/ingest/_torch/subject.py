"""The model with all that is needed to run and export it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .._child.refusal import RefusalError, first_line, place_of
from .nesting import Nested, leaves

EXAMPLE_BATCH = 2


@dataclass(kw_only=True)
class Subject:
    """A runnable model, its example inputs by forward() parameter, and the names for ONNX.

    An input may be a dict, list or tuple of tensors; each of them is an input of its own in ONNX.
    """

    run: Callable[..., Any]
    module: nn.Module | torch.export.ExportedProgram
    inputs: dict[str, Nested]
    input_names: list[str]
    output_names: list[str] = field(default_factory=list)


def run_once(subject: Subject, inputs: Mapping[str, Nested]) -> object:
    """Run the model in torch; a failure says which shapes were fed."""
    try:
        with torch.no_grad():
            return (
                subject.run(**inputs)
                if isinstance(subject.module, nn.Module)
                else subject.run(*inputs.values())
            )
    except Exception as error:
        fed = ", ".join(f"{name} {list(value.shape)}" for name, value in leaves(inputs).items())
        raise RefusalError(
            "EXPORT_FROM_TORCH_FAILED",
            f"the model fails on inputs {fed}: {first_line(error)}",
            where=place_of(error),
            hint="check --input-shape",
        ) from error


def flatten(outputs: object) -> list[Tensor]:
    """Return the tensors of nested tuples, lists and dicts in order."""
    return list(leaves(outputs).values())
