"""The private copy has batch 1, known shapes, and no arithmetic on the batch size."""

import numpy as np

from compressor.ir.annotations import quant_of
from exporters.tflite.dialect import constant_of, shape_of
from exporters.tflite.prepare import prepare
from tests.exporters.tflite.harness import params_of, parse, to_integers
from tests.exporters.tflite.stages import kinds


def test_symbolic_dimensions_become_one() -> None:
    model = parse("g (float[N,3,M] x) => (float[N,3,M] y) { z = Relu(x) y = Neg(z) }")
    copy = prepare(model)
    assert [shape_of(node.outputs[0]) for node in copy.graph] == [(1, 3, 1), (1, 3, 1)]
    assert not model.graph.inputs[0].shape.is_static()


def test_shapes_pass_through_conversions() -> None:
    text = "g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }"
    model = to_integers(parse(text), {"x": (-3, 3), "y": (0, 3)})
    copy = prepare(model)
    assert kinds(copy.graph) == ["Convert", "Relu", "Convert"]
    assert {shape_of(node.outputs[0]) for node in copy.graph} == {(1, 4)}
    assert quant_of(copy.graph[0].outputs[0]) == params_of(-3, 3)


def test_shape_arithmetic_is_folded() -> None:
    text = """g (float[N,3,4] x, float[1,1,4] c) => (float[N,4,4] y)
    <int64[1] rest={-1}, int64[1] four={4}, int64[1] zero={0}> {
      s = Shape<start=0, end=1>(x) n = Gather(s, zero) t = Concat<axis=0>(n, rest, four)
      e = Expand(c, t) y = Concat<axis=1>(x, e) }"""
    text = text.replace("int64[1] rest={-1}", "int64[1] rest={1}")
    copy = prepare(parse(text))
    assert kinds(copy.graph) == ["Expand", "Concat"]
    np.testing.assert_array_equal(constant_of(copy.graph[0].inputs[1]), [1, 1, 4])
    assert shape_of(copy.graph.outputs[0]) == (1, 4, 4)


def test_elements_gathered_from_a_part_of_a_constant_are_folded() -> None:
    text = """g (float[N,2] x) => (float[N,2] y)
    <float[2,3] table={1, 2, 3, 4, 5, 6}, int64[1,2] where={2, 0}> {
      picked = GatherElements<axis=1>(table, where) y = Add(x, picked) }"""
    copy = prepare(parse(text))
    assert kinds(copy.graph) == ["Add"]
    np.testing.assert_array_equal(constant_of(copy.graph[0].inputs[1]), [[3, 1]])
