"""An open batch: what of a file depends on the batch size, found by writing it for two of them.

The graph is lowered for one sample and for two, into the same operators on the same tensors. Where
a tensor's extents differ, that axis is open; where the constant of a RESHAPE or SLICE differs, it
says "the rest" there. Any other constant that depends on the batch cannot be in a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from exporters.protocol import Refusal
from exporters.tflite.dialect import Array
from exporters.tflite.versions import Table

Op = schema.BuiltinOperator
_NAMES = {code: name for name, code in vars(Op).items() if isinstance(code, int)}
_REST = -1
# The inputs in which -1 means whatever is left.
_OPEN_INPUTS = {Op.RESHAPE: 1, Op.SLICE: 2}


def open_batch(one: Table, two: Table) -> list[Refusal]:
    """Open the batch in the ``ModelT`` *one*, given the same model for two samples.

    Returns a refusal for each operator that has the batch size in its constants; *one* is of no use
    then.
    """
    graph, other = one.subgraphs[0], two.subgraphs[0]
    if not _same_structure(one, two):
        reason = "other operators are needed for two samples than for one"
        return [Refusal(node=graph.name, op_type="model", reason=reason)]
    refusals = list(_open_constants(one, two))
    for tensor, wider in zip(graph.tensors, other.tensors, strict=True):
        if tensor.buffer == 0 and list(tensor.shape) != list(wider.shape):
            tensor.shapeSignature = _signature(tensor.shape, wider.shape)
    return refusals


def _same_structure(one: Table, two: Table) -> bool:
    return len(one.subgraphs[0].tensors) == len(two.subgraphs[0].tensors) and [
        *_operators(one)
    ] == [*_operators(two)]


def _operators(model: Table) -> Iterator[tuple[int, list[int], list[int]]]:
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex].builtinCode
        yield code, list(operator.inputs), list(operator.outputs)


def _signature(shape: Sequence[int], wider: Sequence[int]) -> list[int]:
    return [a if a == b else _REST for a, b in zip(shape, wider, strict=True)]


def _open_constants(one: Table, two: Table) -> Iterator[Refusal]:
    """Write "the rest" where constants depend on the batch; yield a refusal where that is not."""
    graph, other = one.subgraphs[0], two.subgraphs[0]
    for operator in graph.operators:
        op = one.operatorCodes[operator.opcodeIndex].builtinCode
        for place, index in enumerate(operator.inputs):
            mine, its = (
                _constant(model, tensors[index]) if index >= 0 else None
                for model, tensors in ((one, graph.tensors), (two, other.tensors))
            )
            if mine is None or its is None or mine == its:
                continue
            opened = _opened(mine, its) if _OPEN_INPUTS.get(op) == place else None
            if opened is None or (op == Op.SLICE and not _from_the_start(one, operator, opened)):
                output = graph.tensors[operator.outputs[0]].name
                reason = "its constants depend on the batch size"
                yield Refusal(node=output, op_type=_NAMES[op], reason=reason)
            else:
                _replace(one, operator, index, opened)


def _constant(model: Table, tensor: Table) -> bytes | None:
    data = model.buffers[tensor.buffer].data if tensor.buffer else None
    return None if data is None else bytes(data)


def _opened(mine: bytes, its: bytes) -> Array | None:
    """Return the int32 vector with -1 where the two differ, None unless that is one place."""
    if len(mine) != len(its):
        return None
    ours, theirs = np.frombuffer(mine, np.int32), np.frombuffer(its, np.int32)
    found = np.where(ours == theirs, ours, _REST).astype(np.int32)
    return found if np.count_nonzero(ours != theirs) == 1 else None


def _from_the_start(model: Table, operator: Table, size: Array) -> bool:
    """Whether the SLICE takes all of the axes that it leaves open."""
    begin = _constant(model, model.subgraphs[0].tensors[operator.inputs[1]])
    starts = np.frombuffer(begin or b"", np.int32)
    return len(starts) == len(size) and not starts[size == _REST].any()


def _replace(model: Table, operator: Table, index: int, contents: Array) -> None:
    """Give the constant tensor *index*, which *operator* alone reads, new contents."""
    buffer = type(model.buffers[1])(data=contents.tobytes())
    model.buffers.append(buffer)
    model.subgraphs[0].tensors[index].buffer = len(model.buffers) - 1
    if getattr(operator.builtinOptions, "newShape", None) is not None:
        operator.builtinOptions.newShape = contents.tolist()
