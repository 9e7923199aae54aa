"""Reading artifacts back with nothing of edgec: the ONNX and TFLite schemas alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from ai_edge_litert import schema_py_generated as schema

Grid = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]

_OPERATORS = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
_UINT8_OFFSET = 128


def onnx_grids(path: Path) -> dict[str, Grid]:
    """Return scale and zero point (as int8 would have it) of every quantized tensor by name.

    An average reads its input a second time, around the integer zero; that is no grid of a tensor.
    """
    model = onnx.load(path)
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    grids = {}
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        if node.name.endswith("_stored"):
            continue
        integers = node.output[0] if node.op_type == "QuantizeLinear" else node.input[0]
        scale, zero_point = constants[node.input[1]], constants[node.input[2]]
        offset = _UINT8_OFFSET if zero_point.dtype == np.uint8 else 0
        name = integers.removesuffix("_integers")
        grids[name] = (np.ravel(scale), np.ravel(zero_point).astype(np.int64) - offset)
    return grids


def tflite_grids(path: Path) -> dict[str, Grid]:
    """Return scale and zero point of every quantized tensor by name."""
    return {
        tensor.name.decode(): (np.ravel(tensor.quantization.scale), tensor.quantization.zeroPoint)
        for tensor in _subgraph(path)[1].tensors
        if tensor.quantization is not None and tensor.quantization.scale is not None
    }


def tflite_operators(path: Path) -> Counter[str]:
    """Count the operators of the main subgraph."""
    model, graph = _subgraph(path)
    codes = [model.operatorCodes[operator.opcodeIndex] for operator in graph.operators]
    return Counter(_OPERATORS[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in codes)


def tflite_transposes(path: Path) -> list[str]:
    """Return the names of the tensors that TRANSPOSE operators read."""
    model, graph = _subgraph(path)
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if code.builtinCode == schema.BuiltinOperator.TRANSPOSE:
            found.append(graph.tensors[operator.inputs[0]].name.decode())
    return found


def _subgraph(path: Path) -> tuple[Any, Any]:
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    return model, model.subgraphs[0]
