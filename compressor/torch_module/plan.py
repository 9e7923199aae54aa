"""A graph as a list of steps over numbered values, and the loop that runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from compressor.torch_module.site import Kernel

Values = dict[int, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call.

    Attributes:
        name: the node, for errors and profiles.
        kernel: what to call.
        inputs: numbers of the operands, None for absent ones.
        outputs: numbers of the results.
        freed: values that no later step reads.
    """

    name: str
    kernel: Kernel
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    freed: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Program:
    """Steps in order, between the numbers of its inputs and outputs."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def free(self) -> list[int]:
        """Numbers that the steps read and neither inputs nor steps define."""
        defined = {*self.inputs, *(number for step in self.steps for number in step.outputs)}
        read = [n for step in self.steps for n in step.inputs if n is not None]
        return [n for n in dict.fromkeys((*read, *self.outputs)) if n not in defined]

    def run(self, inputs: Sequence[Tensor], outside: Mapping[int, Tensor]) -> list[Any]:
        """Return the outputs for *inputs*; *outside* holds the ``free`` values by number."""
        values: Values = dict(outside)
        values.update(zip(self.inputs, inputs, strict=True))
        for step in self.steps:
            operands = [None if n is None else values[n] for n in step.inputs]
            results = step.kernel(*operands)
            if len(step.outputs) == 1 and not isinstance(results, tuple):
                values[step.outputs[0]] = results
            else:
                values.update(zip(step.outputs, results, strict=False))
            for number in step.freed:
                del values[number]
        return [values[number] for number in self.outputs]


def with_freed(steps: Sequence[Step], kept: Iterable[int]) -> tuple[Step, ...]:
    """Return *steps*, each told which values it reads or makes last; *kept* are never freed."""
    seen, found = set(kept), []
    for step in reversed(steps):
        touched = dict.fromkeys((*(n for n in step.inputs if n is not None), *step.outputs))
        last = tuple(n for n in touched if n not in seen)
        seen.update(last)
        found.append(replace(step, freed=last))
    return tuple(reversed(found))
