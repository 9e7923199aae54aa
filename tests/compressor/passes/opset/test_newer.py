import numpy as np
import pytest

from compressor.passes.convert_opset import CANONICAL_OPSET, ConvertOpset
from compressor.passes.protocol import PassContext
from tests.graphs import Array, graph_of, run_onnx


def converted(text: str, opset: int, feeds: dict[str, Array], **constants: Array) -> Array:
    """Return the output of *text* in canonical form, which must equal that of the form given."""
    model = graph_of(text, opset=opset, **constants)
    before = model.clone()
    ConvertOpset().run(model, PassContext())
    assert model.opset_imports[""] == CANONICAL_OPSET
    [want], [have] = run_onnx(before, feeds).values(), run_onnx(model, feeds).values()
    assert (have.dtype, have.shape) == (want.dtype, want.shape)
    np.testing.assert_array_equal(have, want)
    return have


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
def test_signed_shifts(direction: str, dtype: type[np.signedinteger]) -> None:
    """Also of negative numbers, beyond the width and by negative amounts."""
    limits = np.iinfo(dtype)
    numbers = np.array([limits.min, -77, -1, 0, 1, 85, limits.max], dtype)
    amounts = np.array([-1, 0, 1, 3, limits.bits - 1, limits.bits, 100], dtype)
    kind = np.dtype(dtype).name
    converted(
        f"g ({kind}[7,1] x, {kind}[7] n) => ({kind}[7,7] y) "
        f'{{ y = BitShift<direction="{direction}">(x, n) }}',
        28,
        {"x": numbers[:, None], "n": amounts},
    )


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("axis", [0, -1])
def test_products_along_an_axis(axis: int, reverse: int, exclusive: int) -> None:
    converted(
        "g (float[3,4] x) => (float[3,4] y) "
        f"{{ y = CumProd<reverse={reverse}, exclusive={exclusive}>(x, axis) }}",
        26,
        {"x": np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)},
        axis=np.asarray(axis, np.int64),
    )


def test_remainder_takes_the_sign_of_the_divisor() -> None:
    left = np.array([-7.5, -3, 0, 3, 7.5, 4], np.float32)
    right = np.array([2, -2, 3, -2, -4, 2], np.float32)
    have = converted(
        "g (float[6] x, float[6] d) => (float[6] y) { y = Mod(x, d) }",
        28,
        {"x": left, "d": right},
    )
    np.testing.assert_array_equal(have, np.mod(left, right))


def test_range_of_half_precision_is_summed_in_single() -> None:
    feeds = {name: np.asarray(v, np.float16) for name, v in (("a", 0), ("b", 60), ("c", 0.1))}
    converted(
        "g (float16 a, float16 b, float16 c) => (float16[N] y) { y = Range(a, b, c) }", 27, feeds
    )


def test_columns_before_rows() -> None:
    converted(
        "g (float[2,3,4,6] x) => (float[2,12,2,3] y) "
        '{ y = SpaceToDepth<blocksize=2, mode="CRD">(x) }',
        28,
        {"x": np.arange(144, dtype=np.float32).reshape(2, 3, 4, 6)},
    )


def test_operator_that_the_standard_defines_by_others() -> None:
    converted(
        "g (float[4] x) => (float[4] y) { y = Swish<alpha=1.5>(x) }",
        24,
        {"x": np.array([-2, 0, 1, 3], np.float32)},
    )
