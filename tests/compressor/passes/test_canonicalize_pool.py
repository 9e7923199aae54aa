import numpy as np
import pytest

from compressor.passes.canonicalize_pool import CanonicalizePool
from tests.graphs import apply, assert_same, graph_of, lines_of

SPACE = np.array([2, 3], np.int64)


def canonicalize(text: str, **constants: np.ndarray) -> tuple[dict[str, int], list[str]]:
    """Run the pass, assert the same results; return what it counted and the lines."""
    model = graph_of(text, **constants)
    before = model.clone()
    [changes] = apply(model, CanonicalizePool())
    assert_same(before, model, terms=20)
    return {what: n for what, n in changes.counts.items() if n}, lines_of(model)


@pytest.mark.parametrize("axes", [[2, 3], [3, 2], [-1, -2], [-2, 3]])
def test_mean_that_keeps_dimensions(axes: list[int]) -> None:
    counts, lines = canonicalize(
        "g (float[N,3,4,5] x) => (float[N,3,1,1] y) { y = ReduceMean(x, axes) }",
        axes=np.array(axes, np.int64),
    )
    assert counts == {"ReduceMean made global": 1}
    assert lines == ["y = GlobalAveragePool(x)"]


def test_mean_that_drops_dimensions() -> None:
    counts, lines = canonicalize(
        "g (float[N,3,4,5] x) => (float[N,3] y) { y = ReduceMean<keepdims=0>(x, axes) }", axes=SPACE
    )
    assert counts == {"ReduceMean made global": 1}
    assert lines == ["y_keepdims = GlobalAveragePool(x)", "y = Reshape(y_keepdims, y_shape)"]


@pytest.mark.parametrize(
    "text",
    [
        "g (float[N,3,4,5] x) => (float[N,1,4,1] y) { y = ReduceMean(x, axes) }",
        "g (float[N,3,4,5] x) => (float[1,1,1,1] y) { y = ReduceMean(x) }",
        "g (float[N,3,4,5] x) => (float[N,3,1,1] y) { y = ReduceSum(x, space) }",
        "g (float[N,3,4] x) => (float[N,3,1] y) { y = ReduceMean(x, last) }",
    ],
)
def test_other_reductions_stay(text: str) -> None:
    counts, lines = canonicalize(
        text,
        axes=np.array([1, 3], np.int64),
        space=SPACE,
        last=np.array([2], np.int64),
    )
    assert counts == {}
    assert any("Reduce" in line for line in lines)


def test_mean_over_two_open_dimensions_that_are_dropped() -> None:
    """Batch and channels are both open: no constant Reshape can restore them."""
    counts, lines = canonicalize(
        "g (float[N,C,4,5] x) => (float[N,C] y) { y = ReduceMean<keepdims=0>(x, axes) }", axes=SPACE
    )
    assert counts == {}
    assert lines == ["y = ReduceMean[keepdims=0](x, axes)"]


@pytest.mark.parametrize(
    "attributes",
    [
        "kernel_shape=[4,5]",
        "kernel_shape=[4,5], strides=[4,5]",
        'kernel_shape=[4,5], auto_pad="VALID"',
        "kernel_shape=[4,5], pads=[0,0,0,0], count_include_pad=1",
    ],
)
def test_pool_of_the_image_size(attributes: str) -> None:
    counts, lines = canonicalize(
        f"g (float[N,3,4,5] x) => (float[N,3,1,1] y) {{ y = AveragePool<{attributes}>(x) }}"
    )
    assert counts == {"AveragePool made global": 1}
    assert lines == ["y = GlobalAveragePool(x)"]


@pytest.mark.parametrize(
    ("attributes", "shape"),
    [
        ("kernel_shape=[4,4]", "1,2"),
        ("kernel_shape=[4,5], pads=[1,1,1,1]", "3,3"),
        ('kernel_shape=[4,5], auto_pad="SAME_UPPER"', "4,5"),
        ('kernel_shape=[4,5], auto_pad="SAME_LOWER"', "4,5"),
    ],
)
def test_other_pools_stay(attributes: str, shape: str) -> None:
    counts, lines = canonicalize(
        f"g (float[N,3,4,5] x) => (float[N,3,{shape}] y) {{ y = AveragePool<{attributes}>(x) }}"
    )
    assert counts == {}
    assert "AveragePool" in lines[0]


def test_pool_of_an_open_image_size_stays() -> None:
    counts, _ = canonicalize(
        "g (float[N,3,S,S] x) => (float[N,3,H,W] y) { y = AveragePool<kernel_shape=[2,2]>(x) }"
    )
    assert counts == {}
