"""Every tensor inside a TFLite file: an interpreter that keeps what it computes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from runtimes.protocol import Array, Outputs


def computed_tensors(path: Path, feeds: Mapping[int, Array]) -> Outputs:
    """Run the file at *path* on *feeds* (by tensor index) without delegates.

    Returns every tensor that an operator of the main subgraph makes, by name, as real numbers.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter: Any = Interpreter(
        str(path),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    for index, array in feeds.items():
        interpreter.resize_tensor_input(index, array.shape)
    interpreter.allocate_tensors()
    for index, array in feeds.items():
        interpreter.set_tensor(index, np.ascontiguousarray(array))
    interpreter.invoke()
    made = [int(i) for node in interpreter._get_ops_details() for i in node["outputs"]]  # noqa: SLF001
    details = {int(detail["index"]): detail for detail in interpreter.get_tensor_details()}
    return {
        details[index]["name"]: _real(interpreter.get_tensor(index), details[index])
        for index in made
        if index in details and np.dtype(details[index]["dtype"]).kind in "biuf"
    }


def _real(array: Array, detail: Mapping[str, Any]) -> Array:
    """Return the real numbers of a tensor; integers without a scale stay what they are."""
    found = detail["quantization_parameters"]
    scales, zeros = np.asarray(found["scales"]), np.asarray(found["zero_points"])
    if not len(scales):
        return array
    shape = [1] * array.ndim
    if len(scales) > 1:
        shape[found["quantized_dimension"]] = len(scales)
    steps = array.astype(np.float64) - zeros.reshape(shape)
    return np.asarray(steps * scales.reshape(shape), np.float32)
