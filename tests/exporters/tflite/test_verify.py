"""A broken TFLite graph is noticed before it can abort a runtime."""

from collections.abc import Callable

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from compressor.errors import Code, EdgecError
from exporters import tflite
from exporters.tflite.verify import verify
from tests.exporters.tflite.harness import (
    OPTIONS,
    parse,
    to_integers,
    unpacked,
    with_random_constants,
)

MEAN = """g (float[1,3,4,4] x) => (float[1,3,1,1] y) <int64[2] a={2,3}> { y = ReduceMean(x, a) }"""
CONV = """g (float[1,2,4,4] x, float[3,2,1,1] w) => (float[1,3,4,4] y) { y = Conv(x, w) }"""
ADD = "g (float[2,3] x, float[2,3] x2) => (float[2,3] y) { y = Add(x, x2) }"


def _model(text: str) -> schema.ModelT:
    model = with_random_constants(parse(text))
    ranges = {value.name: (-3, 3) for value in model.graph.inputs} | {"y": (-3, 3)}
    return unpacked(tflite.write(to_integers(model, ranges), OPTIONS))


def _tensor(model: schema.ModelT, op: int, *, output: bool, index: int = 0) -> schema.TensorT:
    graph = model.subgraphs[0]
    operator = next(
        o for o in graph.operators if model.operatorCodes[o.opcodeIndex].builtinCode == op
    )
    return graph.tensors[(operator.outputs if output else operator.inputs)[index]]


def _float_mean(model: schema.ModelT) -> None:
    tensor = _tensor(model, schema.BuiltinOperator.MEAN, output=True)
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None


def _no_scale(model: schema.ModelT) -> None:
    _tensor(model, schema.BuiltinOperator.MEAN, output=True).quantization = None


def _float_bias(model: schema.ModelT) -> None:
    tensor = _tensor(model, schema.BuiltinOperator.CONV_2D, output=False, index=2)
    tensor.type = schema.TensorType.FLOAT32


def _wrong_channels(model: schema.ModelT) -> None:
    _tensor(model, schema.BuiltinOperator.CONV_2D, output=True).shape = [1, 4, 4, 5]


def _wrong_extent(model: schema.ModelT) -> None:
    _tensor(model, schema.BuiltinOperator.CONV_2D, output=True).shape = [1, 4, 3, 3]


def _scales_of_another_axis(model: schema.ModelT) -> None:
    weight = _tensor(model, schema.BuiltinOperator.CONV_2D, output=False, index=1)
    weight.quantization.quantizedDimension = 3


def _wrong_sum(model: schema.ModelT) -> None:
    _tensor(model, schema.BuiltinOperator.ADD, output=True).shape = [2, 4]


def _read_before_made(model: schema.ModelT) -> None:
    model.subgraphs[0].operators.reverse()


def _empty(model: schema.ModelT) -> None:
    _tensor(model, schema.BuiltinOperator.ADD, output=True).shape = [2, 0]


def _output_of_nothing(model: schema.ModelT) -> None:
    model.subgraphs[0].operators.pop()


BREAKS = [
    (MEAN, _float_mean, "MEAN"),
    (MEAN, _no_scale, "without a scale"),
    (CONV, _float_bias, "bias types"),
    (CONV, _wrong_channels, "should have shape"),
    (CONV, _wrong_extent, "should have shape"),
    (CONV, _scales_of_another_axis, "3 scales along axis 3"),
    (ADD, _wrong_sum, "should have shape"),
    (ADD, _read_before_made, "before it is made"),
    (ADD, _empty, "has shape"),
    (ADD, _output_of_nothing, "nothing makes"),
]


@pytest.mark.parametrize(("text", "breakage", "message"), BREAKS)
def test_notices(text: str, breakage: Callable[[schema.ModelT], None], message: str) -> None:
    model = _model(text)
    breakage(model)
    with pytest.raises(EdgecError, match=message) as caught:
        verify(model)
    assert caught.value.code is Code.PASS_BROKE_GRAPH


@pytest.mark.parametrize("text", [MEAN, CONV, ADD])
def test_passes_what_is_right(text: str) -> None:
    model = _model(text)
    verify(model)
    assert np.all([tensor.hasRank for tensor in model.subgraphs[0].tensors])
