"""Run a model in tflite-micro and in LiteRT's own kernels; report allocations and outputs.

tflite-micro writes its allocations and its reasons for a refusal to stderr, from C++; a bad model
can abort the process. Both are why this runs in a process of its own, which ``tflm`` starts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, list[Any]]


def main(arguments: list[str]) -> int:
    """Take the model, bytes of arena, inputs.npz and outputs.npz; return 3 when it was refused."""
    from tflite_micro import runtime

    model, arena, inputs, outputs = arguments
    try:
        interpreter = runtime.Interpreter.from_file(model, arena_size=int(arena))
    except (RuntimeError, ValueError) as error:
        sys.stderr.write(f"refused: {error}\n")
        return 3
    with np.load(Path(inputs), allow_pickle=False) as feeds:
        arrays = [feeds[name] for name in feeds.files]
    expected = [_litert(model, arrays, kernels) for kernels in ("reference", "optimized")]
    made = _micro(interpreter, arrays, len(expected[0]))
    interpreter.print_allocations()
    np.savez(Path(outputs), allow_pickle=False, **_stacked(made, *expected))
    return 0


def _micro(interpreter: Any, arrays: list[Any], outputs: int) -> Arrays:  # noqa: ANN401 - untyped
    made: Arrays = {f"micro{index}": [] for index in range(outputs)}
    for sample in range(len(arrays[0])):
        for index, array in enumerate(arrays):
            interpreter.set_input(array[sample], index)
        interpreter.invoke()
        for index in range(outputs):
            made[f"micro{index}"].append(interpreter.get_output(index).copy())
    return made


def _litert(model: str, arrays: list[Any], kernels: str) -> Arrays:
    """Run LiteRT without a delegate; tflite-micro's kernels are ported from either set."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = {
        "reference": OpResolverType.BUILTIN_REF,
        "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    }[kernels]
    interpreter = Interpreter(model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    outputs = [detail["index"] for detail in interpreter.get_output_details()]
    made: Arrays = {f"{kernels}{index}": [] for index in range(len(outputs))}
    for sample in range(len(arrays[0])):
        for index, array in zip(inputs, arrays, strict=True):
            interpreter.set_tensor(index, array[sample])
        interpreter.invoke()
        for index, tensor in enumerate(outputs):
            made[f"{kernels}{index}"].append(interpreter.get_tensor(tensor))
    return made


def _stacked(*tables: Arrays) -> dict[str, Any]:
    return {name: np.stack(arrays) for table in tables for name, arrays in table.items()}
