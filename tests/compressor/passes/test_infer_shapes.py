import numpy as np

from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of


def shapes_of(text: str, **constants: np.ndarray) -> dict[str, list[object]]:
    model = graph_of(text, **constants)
    InferShapes().run(model, PassContext())
    return {
        value.name or "": [d if isinstance(d, int) else d.value for d in value.shape or ()]
        for node in model.graph
        for value in node.outputs
    }


def test_every_value_gets_its_shape_and_the_batch_stays_open() -> None:
    found = shapes_of(
        """g (float[N,3,8,8] x) => (y) {
            c = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w)
            p = GlobalAveragePool(c)
            y = Flatten(p)
        }""",
        w=gaussian(4, 3, 3, 3),
    )
    assert found == {"c": ["N", 4, 4, 4], "p": ["N", 4, 1, 1], "y": ["N", 4]}


def test_shapes_pass_through_shape_arithmetic() -> None:
    found = shapes_of(
        """g (float[2,3,4] x) => (y) {
            s = Shape(x)
            b = Gather(s, zero)
            t = Concat<axis=0>(b, rest)
            y = Reshape(x, t)
        }""",
        zero=np.array([0], np.int64),
        rest=np.array([-1], np.int64),
    )
    assert found["y"] == [2, 12]


def test_counts_what_was_new() -> None:
    model = graph_of("g (float[N,3] x) => (y) { a = Relu(x) y = Neg(a) }")
    first = InferShapes().run(model, PassContext())
    again = InferShapes().run(model, PassContext())
    assert first.counts == {"shapes inferred": 2}
    assert not again.modified


def test_types_are_inferred_too() -> None:
    model = graph_of("g (float[N,3] x) => (y) { y = Cast<to=7>(x) }")
    InferShapes().run(model, PassContext())
    assert model.graph.outputs[0].dtype is not None
    assert model.graph.outputs[0].dtype.numpy() == np.int64
