"""The last look at a TFLite graph before it is written: types and shapes, operator by operator.

Kernels trust the file: an int8 MEAN with a float output aborts the process that runs it. What is
wrong here is a defect of the exporter, never of the user's model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from compressor.errors import Code, EdgecError
from exporters.tflite.versions import Table

Op = schema.BuiltinOperator
_FLOAT, _INT8, _INT32 = (
    schema.TensorType.FLOAT32,
    schema.TensorType.INT8,
    schema.TensorType.INT32,
)
_NAMES = {code: name for name, code in vars(Op).items() if isinstance(code, int)}
_WEIGHTED = frozenset({Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED, Op.TRANSPOSE_CONV})
_BROADCASTING = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.POW, Op.MAXIMUM, Op.MINIMUM})
_RETYPING = frozenset({Op.QUANTIZE, Op.DEQUANTIZE, Op.CAST, Op.ARG_MAX, Op.ARG_MIN})
_COMPARISONS = frozenset({Op.EQUAL, Op.GREATER, Op.GREATER_EQUAL, Op.LESS, Op.LESS_EQUAL})
_DATA_INPUT = {Op.SPLIT: 1, Op.TRANSPOSE_CONV: 2, Op.SELECT_V2: 1}

# Activation, weight and bias types of the kernels that multiply by weights: float, hybrid, int8.
_WEIGHT_TYPES = {(_FLOAT, _FLOAT, _FLOAT), (_FLOAT, _INT8, _FLOAT), (_INT8, _INT8, _INT32)}


def verify(model: Table) -> None:
    """Check the ``ModelT`` *model*.

    Raises:
        EdgecError: ``PASS_BROKE_GRAPH`` naming the operator and what is wrong with it.
    """
    graph = model.subgraphs[0]
    made = set(graph.inputs)
    for tensor in graph.tensors:
        _check_tensor(tensor)
    for operator in graph.operators:
        op = model.operatorCodes[operator.opcodeIndex].builtinCode
        inputs = [graph.tensors[index] if index >= 0 else None for index in operator.inputs]
        outputs = [graph.tensors[index] for index in operator.outputs]
        for index in operator.inputs:
            if index >= 0 and index not in made and not graph.tensors[index].buffer:
                _fail(op, outputs[0], f"reads '{graph.tensors[index].name}' before it is made")
        problem = _type_problem(op, inputs, outputs) or _shape_problem(op, inputs, outputs)
        if problem:
            _fail(op, outputs[0], problem)
        made.update(operator.outputs)
    for index in graph.outputs:
        if index not in made:
            _fail(Op.CUSTOM, graph.tensors[index], "is an output that nothing makes")


def _check_tensor(tensor: Table) -> None:
    if tensor.type == _INT8 and tensor.quantization is None:
        _fail(Op.CUSTOM, tensor, "is int8 without a scale")
    if any(extent < 1 for extent in tensor.shape):
        _fail(Op.CUSTOM, tensor, f"has shape {list(tensor.shape)}")
    if tensor.quantization is not None:
        scales, axis = len(tensor.quantization.scale), tensor.quantization.quantizedDimension
        if scales > 1 and tensor.shape[axis] != scales:
            _fail(Op.CUSTOM, tensor, f"has {scales} scales along axis {axis}")


def _type_problem(op: int, inputs: Sequence[Table], outputs: Sequence[Table]) -> str | None:
    if op in _RETYPING:
        return _retyping_problem(op, inputs[0].type, outputs[0].type)
    source = inputs[_DATA_INPUT.get(op, 0)].type
    if op in _COMPARISONS:
        return None if outputs[0].type == schema.TensorType.BOOL else "does not make booleans"
    if any(out.type != source for out in outputs):
        return f"has inputs of type {source} and outputs of type {outputs[0].type}"
    if op in _WEIGHTED and op != Op.TRANSPOSE_CONV:
        types = (source, inputs[1].type, inputs[2].type if inputs[2] else _FLOAT)
        if types not in _WEIGHT_TYPES:
            return f"has input, weight and bias types {types}"
    if op in _BROADCASTING and inputs[1].type != source:
        return f"has operands of types {source} and {inputs[1].type}"
    return None


def _retyping_problem(op: int, before: int, after: int) -> str | None:
    if op == Op.QUANTIZE and after != _INT8:
        return f"makes type {after}"
    if op == Op.DEQUANTIZE and after != _FLOAT:
        return f"makes type {after}"
    if op == Op.DEQUANTIZE and before == _FLOAT:
        return "reads float32"
    return None


def _shape_problem(op: int, inputs: Sequence[Table], outputs: Sequence[Table]) -> str | None:
    expected = _SHAPES[op](inputs, outputs) if op in _SHAPES else None
    if expected is None or list(expected) == list(outputs[0].shape):
        return None
    return f"should have shape {list(expected)}, not {list(outputs[0].shape)}"


def _broadcast(inputs: Sequence[Table], _outputs: Sequence[Table]) -> Sequence[int]:
    return np.broadcast_shapes(*(tuple(tensor.shape) for tensor in inputs))


def _unchanged(inputs: Sequence[Table], _outputs: Sequence[Table]) -> Sequence[int]:
    return list(inputs[0].shape)


def _reshaped(inputs: Sequence[Table], outputs: Sequence[Table]) -> Sequence[int]:
    same = np.prod(inputs[0].shape) == np.prod(outputs[0].shape)
    return list(outputs[0].shape) if same else list(inputs[0].shape)


def _convolved(inputs: Sequence[Table], outputs: Sequence[Table]) -> Sequence[int]:
    """Batch and channels; the spatial extents follow from options that the caller checked."""
    return [inputs[0].shape[0], *outputs[0].shape[1:3], inputs[2].shape[0]]


def _connected(inputs: Sequence[Table], outputs: Sequence[Table]) -> Sequence[int]:
    units, width = inputs[1].shape
    rows = int(np.prod(inputs[0].shape)) // width
    leading = list(outputs[0].shape[:-1])
    return [*leading, units] if int(np.prod(leading)) == rows else [rows, units]


def _concatenated(inputs: Sequence[Table], outputs: Sequence[Table]) -> Sequence[int]:
    shapes = np.asarray([tensor.shape for tensor in inputs])
    varies = shapes.min(axis=0) != shapes.max(axis=0)
    joined = varies | (np.asarray(outputs[0].shape) != shapes[0])
    return list(np.where(joined, shapes.sum(axis=0), shapes[0]))


_SHAPES: dict[int, Callable[[Sequence[Table], Sequence[Table]], Sequence[int]]] = {
    **dict.fromkeys(_BROADCASTING, _broadcast),
    Op.RESHAPE: _reshaped,
    Op.CONV_2D: _convolved,
    Op.DEPTHWISE_CONV_2D: _convolved,
    Op.FULLY_CONNECTED: _connected,
    Op.CONCATENATION: _concatenated,
    Op.QUANTIZE: _unchanged,
    Op.DEQUANTIZE: _unchanged,
    Op.SOFTMAX: _unchanged,
    Op.LOGISTIC: _unchanged,
    Op.TANH: _unchanged,
    Op.RELU: _unchanged,
    Op.RELU6: _unchanged,
    Op.GELU: _unchanged,
    Op.RSQRT: _unchanged,
    Op.SQRT: _unchanged,
}


def _fail(op: int, tensor: Table, problem: str) -> None:
    subject = "" if op == Op.CUSTOM else f"{_NAMES.get(op, op)} "
    raise EdgecError(
        Code.PASS_BROKE_GRAPH,
        f"the TFLite exporter made an invalid graph: {subject}'{tensor.name}' {problem}",
        where=f"tensor '{tensor.name}'",
    )
