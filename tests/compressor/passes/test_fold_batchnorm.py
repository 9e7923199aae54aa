import numpy as np
import pytest

from compressor.passes.fold_batchnorm import FoldBatchnorm
from compressor.passes.protocol import Changes
from tests.graphs import apply, assert_same, constant, gaussian, graph_of, lines_of

FOLDED = {"folded into weights": 1, "lowered to Mul and Add": 0}
LOWERED = {"folded into weights": 0, "lowered to Mul and Add": 1}


def statistics(channels: int, seed: int = 3) -> dict[str, np.ndarray]:
    """Scale, bias, mean and variance; one variance is tiny, so that epsilon decides its gain."""
    variance = np.abs(gaussian(channels, seed=seed)) + 0.1
    variance[0] = 1e-6
    names = zip("sbm", range(3), strict=True)
    return {**{n: gaussian(channels, seed=seed + i + 1) for n, i in names}, "v": variance}


def fold(text: str, **constants: np.ndarray) -> tuple[Changes, list[str]]:
    """Run the pass on *text*, assert that it computes the same, and return what became of it."""
    model = graph_of(text, **constants)
    before = model.clone()
    [changes] = apply(model, FoldBatchnorm())
    assert_same(before, model, terms=64)
    return changes, lines_of(model)


@pytest.mark.parametrize(
    ("attributes", "weight", "channels"),
    [
        ("pads=[1,1,1,1]", (4, 6, 3, 3), 4),
        ("pads=[0,1,2,0], strides=[2,2]", (4, 6, 3, 3), 4),
        ("group=2", (4, 3, 3, 3), 4),
        ("group=6", (6, 1, 3, 3), 6),
        ("group=6", (12, 1, 3, 3), 12),
    ],
)
def test_conv(attributes: str, weight: tuple[int, ...], channels: int) -> None:
    changes, lines = fold(
        f"""g (float[N,6,8,8] x) => (float[N,{channels},H,W] y) {{
            c = Conv<{attributes}>(x, w)
            y = BatchNormalization<epsilon=0.001>(c, s, b, m, v)
        }}""",
        w=gaussian(*weight),
        **statistics(channels),
    )
    assert changes.counts == FOLDED
    [line] = lines
    assert line.startswith("y = Conv[")
    assert line.endswith("(x, w_folded, w_bias)")


def test_folded_constants_follow_the_formula() -> None:
    stats, weight, bias = statistics(4), gaussian(4, 6, 3, 3), gaussian(4, seed=9)
    model = graph_of(
        """g (float[N,6,8,8] x) => (float[N,4,H,W] y) {
            c = Conv(x, w, old)
            y = BatchNormalization<epsilon=0.01>(c, s, b, m, v)
        }""",
        w=weight,
        old=bias,
        **stats,
    )
    apply(model, FoldBatchnorm())
    gain = stats["s"].astype(np.float64) / np.sqrt(stats["v"] + np.float64(np.float32(0.01)))
    np.testing.assert_array_equal(
        constant(model, "w_folded"), (gain[:, None, None, None] * weight).astype(np.float32)
    )
    np.testing.assert_array_equal(
        constant(model, "w_bias"), (gain * (bias - stats["m"]) + stats["b"]).astype(np.float32)
    )


def test_conv_transpose() -> None:
    changes, lines = fold(
        """g (float[N,6,4,4] x) => (float[N,4,H,W] y) {
            c = ConvTranspose<strides=[2,2]>(x, w, old)
            y = BatchNormalization(c, s, b, m, v)
        }""",
        w=gaussian(6, 4, 3, 3),
        old=gaussian(4, seed=5),
        **statistics(4),
    )
    assert changes.counts == FOLDED
    assert lines == ["y = ConvTranspose[strides=[2, 2]](x, w_folded, w_bias)"]


def test_grouped_conv_transpose_is_lowered() -> None:
    changes, lines = fold(
        """g (float[N,6,4,4] x) => (float[N,4,H,W] y) {
            c = ConvTranspose<group=2>(x, w)
            y = BatchNormalization(c, s, b, m, v)
        }""",
        w=gaussian(6, 2, 3, 3),
        **statistics(4),
    )
    assert changes.counts == LOWERED
    assert len(lines) == 3


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bias_shape", [None, (), (1,), (5,), (1, 5), (2, 5)])
def test_gemm(transposed: bool, bias_shape: tuple[int, ...] | None) -> None:
    extra = {} if bias_shape is None else {"old": gaussian(*bias_shape, seed=5)}
    changes, lines = fold(
        f"""g (float[2,7] x) => (float[2,5] y) {{
            c = Gemm<transB={int(transposed)}>(x, w{", old" if extra else ""})
            y = BatchNormalization(c, s, b, m, v)
        }}""",
        w=gaussian(5, 7) if transposed else gaussian(7, 5),
        **extra,
        **statistics(5),
    )
    assert changes.counts == FOLDED
    assert len(lines) == 1


def test_scaled_gemm_is_lowered() -> None:
    changes, lines = fold(
        """g (float[2,7] x) => (float[2,5] y) {
            c = Gemm<alpha=0.5>(x, w)
            y = BatchNormalization(c, s, b, m, v)
        }""",
        w=gaussian(7, 5),
        **statistics(5),
    )
    assert changes.counts == LOWERED
    assert lines == [
        "c = Gemm[alpha=0.5](x, w)",
        "n1_scaled = Mul(c, n1_gain)",
        "y = Add(n1_scaled, n1_offset)",
    ]


@pytest.mark.parametrize(
    "rest",
    [
        "y = BatchNormalization(c, s, b, m, v)  z = Relu(c)",
        "y = BatchNormalization(c, s, b, m, v)  z = BatchNormalization(c, s2, b, m, v)",
    ],
)
def test_other_consumers_of_the_convolution_keep_it(rest: str) -> None:
    _, lines = fold(
        f"""g (float[N,3,4,4] x) => (float[N,4,H,W] y, float[N,4,H,W] z) {{
            c = Conv(x, w)
            {rest}
        }}""",
        w=gaussian(4, 3, 1, 1),
        s2=gaussian(4, seed=11),
        **statistics(4),
    )
    assert lines[0] == "c = Conv(x, w)"


def test_convolution_that_is_an_output_keeps_it() -> None:
    changes, lines = fold(
        """g (float[N,3,4,4] x) => (float[N,4,H,W] c, float[N,4,H,W] y) {
            c = Conv(x, w)
            y = BatchNormalization(c, s, b, m, v)
        }""",
        w=gaussian(4, 3, 1, 1),
        **statistics(4),
    )
    assert changes.counts == LOWERED
    assert lines[0] == "c = Conv(x, w)"


def test_weight_shared_with_another_convolution_is_copied() -> None:
    changes, lines = fold(
        """g (float[N,3,4,4] x) => (float[N,3,H,W] y, float[N,3,H,W] z) {
            c = Conv(x, w)
            y = BatchNormalization(c, s, b, m, v)
            z = Conv(x, w)
        }""",
        w=gaussian(3, 3, 1, 1),
        **statistics(3),
    )
    assert changes.counts == FOLDED
    assert lines == ["y = Conv(x, w_folded, w_bias)", "z = Conv(x, w)"]


def test_chain_of_two_folds_twice() -> None:
    changes, lines = fold(
        """g (float[N,3,4,4] x) => (float[N,3,H,W] y) {
            c = Conv(x, w)
            d = BatchNormalization(c, s, b, m, v)
            y = BatchNormalization(d, b, s, m, v)
        }""",
        w=gaussian(3, 3, 1, 1),
        **statistics(3),
    )
    assert changes.counts["folded into weights"] == 2
    assert len(lines) == 1


def test_without_a_linear_producer_it_is_lowered() -> None:
    changes, lines = fold(
        """g (float[N,3,L] x) => (float[N,3,L] y) {
            y = BatchNormalization(x, s, b, m, v)
        }""",
        **statistics(3),
    )
    assert changes.counts == LOWERED
    assert lines == ["n0_scaled = Mul(x, n0_gain)", "y = Add(n0_scaled, n0_offset)"]


@pytest.mark.parametrize("outputs", ["y", "y, mean, var"])
def test_training_mode_is_skipped_with_its_reason(outputs: str) -> None:
    model = graph_of(
        f"""g (float[4,3,5,5] x) => (float[4,3,5,5] y) {{
            c = Conv(x, w)
            {outputs} = BatchNormalization<training_mode=1>(c, s, b, m, v)
        }}""",
        w=gaussian(3, 3, 1, 1),
        **statistics(3),
    )
    before = lines_of(model)
    [changes] = apply(model, FoldBatchnorm())
    assert not changes.modified
    assert [(s.node, s.reason) for s in changes.skipped] == [
        ("n1", "statistics are computed at run time")
    ]
    assert lines_of(model) == before


def test_computed_statistics_are_skipped() -> None:
    model = graph_of(
        """g (float[4,3,5,5] x, float[3] v) => (float[4,3,5,5] y) {
            y = BatchNormalization(x, s, b, m, v)
        }""",
        s=gaussian(3),
        b=gaussian(3),
        m=gaussian(3),
    )
    [changes] = apply(model, FoldBatchnorm())
    assert not changes.modified
    assert len(changes.skipped) == 1
    assert lines_of(model) == ["y = BatchNormalization(x, s, b, m, v)"]


def test_computed_weight_is_lowered() -> None:
    changes, lines = fold(
        """g (float[N,3,4,4] x, float[3,3,1,1] w) => (float[N,3,4,4] y) {
            c = Conv(x, w)
            y = BatchNormalization(c, s, b, m, v)
        }""",
        **statistics(3),
    )
    assert changes.counts == LOWERED
    assert lines[0] == "c = Conv(x, w)"
