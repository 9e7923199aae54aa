import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest.onnx import NEWEST_OPSET
from compressor.passes.convert_opset import CANONICAL_OPSET, ConvertOpset
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.lift_constants import LiftConstants
from compressor.passes.protocol import PassContext
from tests.graphs import apply, assert_same, gaussian, graph_of

INT64 = np.int64


@pytest.mark.parametrize(
    ("opset", "text"),
    [
        (
            11,
            "g (float[2,3,4,5] x) => (float[2,3] y) { y = ReduceMean<axes=[2,3], keepdims=0>(x) }",
        ),
        (13, "g (float[2,3,4,5] x) => (float[2,3,1,1] y) { y = ReduceMean<axes=[2,3]>(x) }"),
        (17, "g (float[2,3,4,5] x) => (float[2,1,1,5] y) { y = ReduceMax<axes=[1,2]>(x) }"),
        (11, "g (float[2,1,3] x) => (float[2,3] y) { y = Squeeze<axes=[1]>(x) }"),
        (12, "g (float[2,3] x) => (float[2,1,3] y) { y = Unsqueeze<axes=[1]>(x) }"),
        (11, "g (float[2,3] x) => (float[2,3] y) { y = Clip(x, low, high) }"),
        (
            11,
            "g (float[2,6] x) => (float[2,2] y, float[2,4] z)"
            "{ y, z = Split<axis=1, split=[2,4]>(x) }",
        ),
        (11, "g (float[2,3] x) => (float[2,3] y) { y = Softmax<axis=1>(x) }"),
        (12, "g (float[2,3,4] x) => (float[2,3,4] y) { y = Softmax<axis=1>(x) }"),
        (11, "g (float[2,3] x) => (float[2,3] y) { y = Dropout<ratio=0.3>(x) }"),
        (11, "g (float[1,3,4,4] x) => (float[1,3,6,6] y) { y = Pad(x, pads) }"),
        (
            13,
            "g (float[1,3,4,4] x) => (float[1,3,8,8] y)"
            '{ y = Resize<mode="nearest", coordinate_transformation_mode="asymmetric",'
            ' nearest_mode="floor">(x, , scales) }',
        ),
        (11, "g (float[2,6] x) => (float[2,5] y) { y = Gemm<alpha=2.0>(x, w, b) }"),
        (
            11,
            "g (float[2,5,4,4] x) => (float[2,5,4,4] y) { y = BatchNormalization(x, b, b, b, v) }",
        ),
        (20, "g (float[2,3] x) => (float[2,3] y) { y = Gelu(x) }"),
    ],
)
def test_older_opsets_compute_the_same(opset: int, text: str) -> None:
    model = graph_of(
        text,
        opset=opset,
        low=np.float32(-1),
        high=np.float32(1),
        pads=np.array([0, 0, 1, 1, 0, 0, 1, 1], INT64),
        scales=np.array([1, 1, 2, 2], np.float32),
        w=gaussian(6, 5),
        b=gaussian(5),
        v=np.abs(gaussian(5)) + 1,
    )
    before = model.clone()
    [changes, _, _] = apply(model, ConvertOpset(), LiftConstants(), InferShapes())
    assert changes.counts == {f"opset {opset} to {CANONICAL_OPSET}": 1}
    assert model.opset_imports[""] == CANONICAL_OPSET
    assert_same(before, model, terms=20)


def test_canonical_opset_is_left_alone() -> None:
    model = graph_of("g (float[2] x) => (float[2] y) { y = Relu(x) }", opset=CANONICAL_OPSET)
    [changes] = apply(model, ConvertOpset())
    assert not changes.modified


@pytest.mark.parametrize("opset", range(CANONICAL_OPSET + 1, NEWEST_OPSET + 1))
def test_newer_opset_is_brought_back(opset: int) -> None:
    model = graph_of(
        "g (float[1,3,4,4] x) => (float[1,2,2,2] y) { y = Conv(x, w) }",
        opset=opset,
        w=gaussian(2, 3, 3, 3),
    )
    before = graph_of(
        "g (float[1,3,4,4] x) => (float[1,2,2,2] y) { y = Conv(x, w) }",
        w=gaussian(2, 3, 3, 3),
    )
    apply(model, ConvertOpset())
    assert model.opset_imports[""] == CANONICAL_OPSET
    assert_same(before, model, terms=27)


def test_operator_that_is_newer_and_not_made_of_older_ones_is_refused() -> None:
    model = graph_of(
        """g (float[1,4,4] x, float[1,2,4] u, int64[1] i) => (float[1,4,4] y) {
            y = TensorScatter(x, u, i)
        }""",
        opset=24,
    )
    with pytest.raises(EdgecError) as caught:
        ConvertOpset().run(model, PassContext())
    assert caught.value.code is Code.MODEL_UNSUPPORTED
    assert "24" in caught.value.what
