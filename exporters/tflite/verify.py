"""The last look at a TFLite graph before it is written: types and shapes, operator by operator.

Kernels trust the file: an int8 MEAN with a float output aborts the process that runs it. What is
wrong here is a defect of the exporter, never of the user's model.
"""

from __future__ import annotations

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema

from compressor.errors import Code, EdgecError
from exporters.tflite.shapes import Use, expected_shape
from exporters.tflite.versions import Table

Op = schema.BuiltinOperator
_FLOAT, _INT8, _UINT8, _INT32, _INT16, _INT64 = (
    schema.TensorType.FLOAT32,
    schema.TensorType.INT8,
    schema.TensorType.UINT8,
    schema.TensorType.INT32,
    schema.TensorType.INT16,
    schema.TensorType.INT64,
)
_NAMES = {code: name for name, code in vars(Op).items() if isinstance(code, int)}
_WEIGHTED = frozenset({Op.CONV_2D, Op.DEPTHWISE_CONV_2D, Op.FULLY_CONNECTED, Op.TRANSPOSE_CONV})
_BROADCASTING = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.POW, Op.MAXIMUM, Op.MINIMUM})
_RETYPING = frozenset({Op.QUANTIZE, Op.DEQUANTIZE, Op.CAST, Op.ARG_MAX, Op.ARG_MIN})
_COMPARISONS = frozenset(
    {Op.EQUAL, Op.NOT_EQUAL, Op.GREATER, Op.GREATER_EQUAL, Op.LESS, Op.LESS_EQUAL}
)
_DATA_INPUT = {Op.SPLIT: 1, Op.TRANSPOSE_CONV: 2, Op.SELECT_V2: 1, Op.SCATTER_ND: 1}
_DATA_OUTPUTS = {Op.TOPK_V2: 1, Op.NON_MAX_SUPPRESSION_V4: 0}
_UNSCALED = frozenset(
    {
        *(Op.CAST, Op.RESHAPE, Op.TRANSPOSE, Op.SLICE, Op.SPLIT, Op.GATHER, Op.CONCATENATION),
        *(Op.BROADCAST_TO, Op.TILE, Op.PAD, Op.SPACE_TO_DEPTH, Op.DEPTH_TO_SPACE),
    }
)

# Activation, weight and bias types of the kernels that multiply by weights: float, hybrid, integer.
_WEIGHT_TYPES = {
    (_FLOAT, _FLOAT, _FLOAT),
    (_FLOAT, _INT8, _FLOAT),
    (_INT8, _INT8, _INT32),
    (_INT16, _INT8, _INT64),
}


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
        use = Use(
            op=op,
            inputs=inputs,
            outputs=outputs,
            options=operator.builtinOptions,
            buffers=model.buffers,
        )
        problem = _type_problem(op, inputs, outputs) or _shape_problem(use)
        if problem:
            _fail(op, outputs[0], problem)
        made.update(operator.outputs)
    for index in graph.outputs:
        if index not in made and not graph.tensors[index].buffer:
            _fail(Op.CUSTOM, graph.tensors[index], "is an output that nothing makes")


def _check_tensor(tensor: Table) -> None:
    if any(extent < 1 for extent in tensor.shape):
        _fail(Op.CUSTOM, tensor, f"has shape {list(tensor.shape)}")
    if tensor.quantization is not None:
        scales, axis = len(tensor.quantization.scale), tensor.quantization.quantizedDimension
        if scales > 1 and tensor.shape[axis] != scales:
            _fail(Op.CUSTOM, tensor, f"has {scales} scales along axis {axis}")


def _type_problem(op: int, inputs: Sequence[Table], outputs: Sequence[Table]) -> str | None:
    tensors = [tensor for tensor in (*inputs, *outputs) if tensor is not None]
    if op not in _UNSCALED and any(t.type == _INT8 and t.quantization is None for t in tensors):
        return "computes on int8 without a scale"
    if op in _RETYPING:
        return _retyping_problem(op, inputs[0].type, outputs[0].type)
    source = inputs[_DATA_INPUT.get(op, 0)].type
    if op in _COMPARISONS:
        return None if outputs[0].type == schema.TensorType.BOOL else "does not make booleans"
    if any(out.type != source for out in outputs[: _DATA_OUTPUTS.get(op)]):
        return f"has inputs of type {source} and outputs of type {outputs[0].type}"
    if op in _WEIGHTED and op != Op.TRANSPOSE_CONV:
        types = (source, inputs[1].type, inputs[2].type if inputs[2] else _FLOAT)
        if types not in _WEIGHT_TYPES:
            return f"has input, weight and bias types {types}"
    if op in _BROADCASTING and inputs[1].type != source:
        return f"has operands of types {source} and {inputs[1].type}"
    return None


def _retyping_problem(op: int, before: int, after: int) -> str | None:
    if op == Op.QUANTIZE and after not in (_INT8, _UINT8, _INT16):
        return f"makes type {after}"
    if op == Op.DEQUANTIZE and after != _FLOAT:
        return f"makes type {after}"
    if op == Op.DEQUANTIZE and before == _FLOAT:
        return "reads float32"
    return None


def _shape_problem(use: Use) -> str | None:
    expected = expected_shape(use)
    if expected is None or list(expected) == list(use.outputs[0].shape):
        return None
    return f"should have shape {list(expected)}, not {list(use.outputs[0].shape)}"


def _fail(op: int, tensor: Table, problem: str) -> None:
    subject = "" if op == Op.CUSTOM else f"{_NAMES.get(op, op)} "
    raise EdgecError(
        Code.PASS_BROKE_GRAPH,
        f"the TFLite exporter made an invalid graph: {subject}'{tensor.name}' {problem}",
        where=f"tensor '{tensor.name}'",
    )
