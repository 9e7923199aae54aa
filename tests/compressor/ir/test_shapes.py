import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.shapes import infer_shapes
from tests.graphs import graph_of


def test_slice_of_what_has_shrunk_below_nothing() -> None:
    """Inference in the onnx package aborts the process that runs it."""
    model = graph_of(
        "g (float[4,6] x) => (float[A,B] y) { p = Pad(x, pads) y = Slice(p, start, end) }",
        pads=np.array([0, 0, 0, -9]),
        start=np.array([0, 0]),
        end=np.array([99, 99]),
    )
    with pytest.raises(EdgecError) as caught:
        infer_shapes(model)
    assert caught.value.code is Code.MODEL_UNREADABLE


def test_negative_lengths_are_refused() -> None:
    model = graph_of(
        "g (float[4,6] x) => (float[A,B] y) { y = Pad(x, pads) }", pads=np.array([0, 0, 0, -9])
    )
    with pytest.raises(EdgecError) as caught:
        infer_shapes(model)
    assert "y" in str(caught.value) or "Pad" in str(caught.value)


def test_ordinary_slices_are_inferred() -> None:
    model = graph_of(
        "g (float[4,6] x) => (float[A,B] y) { p = Pad(x, pads) y = Slice(p, start, end) }",
        pads=np.array([0, 0, 0, 2]),
        start=np.array([0, 1]),
        end=np.array([2, 99]),
    )
    infer_shapes(model)
    assert model.graph.outputs[0].shape == [2, 7]
