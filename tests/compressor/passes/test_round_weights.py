import numpy as np
import pytest

from compressor.calibration.moments import Moments, MomentsObserver, PatchGeometry
from compressor.ir.annotations import quant_of
from compressor.ir.fingerprint import fingerprint
from compressor.ir.quant import IntegerType
from compressor.passes.protocol import PassContext
from compressor.passes.round_weights import RoundWeights, round_columns
from compressor.quantizers.affine import WEIGHT_STEPS, weight_params
from tests.graphs import apply, constant, gaussian, graph_of, lines_of, run_onnx
from tests.quantized import GRAPHS, calibrated, quantized
from tests.tolerances import float32_network, grid_rounding

DAMPING = RoundWeights().damping


def correlated(width: int, rank: int, seed: int = 0) -> np.ndarray:
    """A covariance of *rank* with a wide spectrum, shape [1, width, width]."""
    mixing = np.random.default_rng(seed).standard_normal((width, rank)) * np.logspace(0, -2, rank)
    return (mixing @ mixing.T)[None]


def layer(outputs: int, width: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Weights and their steps, shapes [1, outputs, width] and [1, outputs]."""
    weight = np.random.default_rng(seed).standard_normal((1, outputs, width))
    return weight, np.array(weight_params(weight[0], 0).scale)[None]


def output_error(left: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Expected squared output error of weights that are off by *left*, for each output."""
    return np.einsum("gok,gkl,gol->go", left, covariance, left)


def nearest(weight: np.ndarray, scale: np.ndarray) -> np.ndarray:
    steps = np.clip(np.rint(weight / scale[:, :, None]), -WEIGHT_STEPS, WEIGHT_STEPS)
    return steps * scale[:, :, None]


COVARIANCES = {
    "full": correlated(48, 48),
    "spread": correlated(130, 200),
    "deficient": correlated(48, 5),
    "one direction": correlated(48, 1),
    "identity": np.eye(48)[None],
    "zero": np.zeros((1, 48, 48)),
    "dead inputs": np.diag(np.r_[np.ones(24), np.zeros(24)])[None],
    "tiny": correlated(48, 48) * 1e-20,
    "huge": correlated(48, 48) * 1e20,
    "single input": np.ones((1, 1, 1)),
    "single dead input": np.zeros((1, 1, 1)),
}


@pytest.mark.parametrize("name", COVARIANCES)
def test_result_lies_on_the_grid(name: str) -> None:
    covariance = COVARIANCES[name]
    weight, scale = layer(7, covariance.shape[1])
    grid = round_columns(weight, scale, covariance, DAMPING)
    steps = grid / scale[:, :, None]
    assert grid.shape == weight.shape
    np.testing.assert_allclose(steps, np.rint(steps), rtol=0, atol=grid_rounding(WEIGHT_STEPS))
    assert np.abs(np.rint(steps)).max() <= WEIGHT_STEPS


@pytest.mark.parametrize("name", COVARIANCES)
def test_error_is_no_larger_than_that_of_the_nearest_points(name: str) -> None:
    """Under the damped covariance that is minimised, summed over many outputs."""
    covariance = COVARIANCES[name]
    weight, scale = layer(64, covariance.shape[1])
    grid = round_columns(weight, scale, covariance, DAMPING)
    power = np.einsum("gkk->g", covariance) / covariance.shape[1]
    damped = covariance + DAMPING * power * np.eye(covariance.shape[1])
    ours = output_error(grid - weight, damped).sum()
    theirs = output_error(nearest(weight, scale) - weight, damped).sum()
    assert ours <= theirs * (1 + float32_network(layers=1, terms=covariance.shape[1]))


def test_correlation_is_exploited() -> None:
    """Where inputs move together, errors of one weight are made good by others."""
    covariance = COVARIANCES["deficient"]
    weight, scale = layer(64, 48)
    grid = round_columns(weight, scale, covariance, DAMPING)
    ours = output_error(grid - weight, covariance).sum()
    theirs = output_error(nearest(weight, scale) - weight, covariance).sum()
    assert ours < theirs / 4


def test_independent_inputs_leave_nothing_to_spread() -> None:
    weight, scale = layer(7, 48)
    grid = round_columns(weight, scale, np.eye(48)[None], DAMPING)
    np.testing.assert_allclose(
        grid / scale[:, :, None],
        nearest(weight, scale) / scale[:, :, None],
        atol=grid_rounding(WEIGHT_STEPS),
    )


def test_groups_are_rounded_on_their_own() -> None:
    covariances = np.concatenate([correlated(9, 9, seed) for seed in range(3)])
    parts = [layer(4, 9, seed) for seed in range(3)]
    weight, scale = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    together = round_columns(weight, scale, covariances, DAMPING)
    for group in range(3):
        one = slice(group, group + 1)
        alone = round_columns(weight[one], scale[one], covariances[one], DAMPING)
        error = output_error(alone - weight[one], covariances[one]).sum()
        joint = output_error(together[one] - weight[one], covariances[one]).sum()
        plain = output_error(nearest(weight[one], scale[one]) - weight[one], covariances[one]).sum()
        assert max(error, joint) < plain


def test_few_correlated_samples_of_a_wide_layer() -> None:
    """640 inputs with a large mean, 16 samples: of rank 15, and rounding may make it indefinite."""
    observer = MomentsObserver(PatchGeometry())
    for seed in range(4):
        observer.update(gaussian(4, 640, seed=seed, scale=0.01) + np.float32(30))
    covariance = observer.result().covariance
    weight, scale = layer(8, 640)
    grid = round_columns(weight, scale, covariance, DAMPING)
    ours = output_error(grid - weight, covariance).sum()
    assert ours < output_error(nearest(weight, scale) - weight, covariance).sum() / 4


@pytest.mark.parametrize("name", ["residual", "squeeze_excite", "transformer", "concat", "gru"])
def test_layers_of_a_network(name: str) -> None:
    """Weights move to integers, biases take up the mean, and the structure stays."""
    model = GRAPHS[name]()
    plain = GRAPHS[name]()
    quantized(plain)
    _, changes = quantized(model, RoundWeights())
    products = [node for node in plain.graph if node.op_type in ("Conv", "Gemm")]
    assert changes.counts == {"layers rounded": len(products)}
    assert not changes.skipped
    for node in model.graph:
        if node.op_type in ("Conv", "Gemm"):
            weight, params = node.inputs[1], quant_of(node.inputs[1])
            assert weight is not None
            assert params is not None
            stored = constant(model, weight.name or "")
            np.testing.assert_array_equal(params.dequantize(params.quantize(stored)), stored)


def test_mean_output_is_kept_exactly() -> None:
    """Of a layer without a bias, one is made."""
    text = "g (float[N,12] x) => (float[N,5] y) { y = Gemm<transB=1>(x, w) }"
    weight = gaussian(5, 12)
    model = graph_of(text, w=weight)
    table = calibrated(model.clone())
    quantized(model, RoundWeights())
    gemm = next(node for node in model.graph if node.op_type == "Gemm")
    bias = constant(model, gemm.inputs[2].name or "")  # type: ignore[union-attr]
    params = quant_of(gemm.inputs[2])
    assert params is not None
    assert params.dtype is IntegerType.INT32
    mean = table.moments["n0"].mean[0]
    before, after = weight.astype(np.float64) @ mean, constant(model, "w") @ mean + bias
    bound = float32_network(layers=1, terms=12) * np.abs(weight).sum(axis=1).max()
    assert np.abs(after - before).max() <= bound


def test_existing_bias_is_shifted() -> None:
    text = "g (float[N,12] x) => (float[N,5] y) { y = Gemm<transB=1>(x, w, b) }"
    weight, bias = gaussian(5, 12), gaussian(5, seed=1)
    model = graph_of(text, w=weight, b=bias)
    table = calibrated(model.clone())
    quantized(model, RoundWeights())
    mean = table.moments["n0"].mean[0]
    before, after = weight.astype(np.float64) @ mean + bias, constant(model, "w") @ mean
    after = after + constant(model, "b")
    bound = float32_network(layers=1, terms=12) * np.abs(weight).sum(axis=1).max()
    assert np.abs(after - before).max() <= bound
    assert lines_of(model)[1] == "y = Gemm[transB=1](x_quantized, w, b)"


def test_output_on_the_calibration_data_is_nearer_to_float() -> None:
    text = "g (float[N,24] x) => (float[N,16] y) { y = Gemm<transB=1>(x, w) }"
    model = graph_of(text, w=gaussian(16, 24))
    source = model.clone()
    feeds = {"x": (gaussian(64, 3, seed=5) @ gaussian(3, 24, seed=6)).astype(np.float32)}
    moments = Moments(
        mean=feeds["x"].mean(axis=0)[None].astype(np.float64),
        covariance=np.cov(feeds["x"].T, bias=True)[None],
        count=64,
    )
    scale = np.array(weight_params(gaussian(16, 24), 0).scale)[None]
    weight = gaussian(16, 24)[None].astype(np.float64)
    grid = round_columns(weight, scale, moments.covariance, DAMPING)
    shift = (grid - weight)[0] @ moments.mean[0]
    ours = feeds["x"] @ grid[0].T - shift
    theirs = feeds["x"] @ nearest(weight, scale)[0].T
    want = run_onnx(source, feeds)["y"]
    assert np.square(ours - want).mean() < np.square(theirs - want).mean() / 4


def test_layer_without_moments_is_skipped_with_its_reason() -> None:
    model = graph_of(
        'g (float[N,3,6,6] x) => (float[N,4,6,6] y) { y = Conv<auto_pad="SAME_UPPER">(x, w) }',
        w=gaussian(4, 3, 3, 3),
    )
    _, changes = quantized(model, RoundWeights())
    assert changes.counts == {"layers rounded": 0}
    assert [(s.node, s.reason) for s in changes.skipped] == [("n0", "no moments were collected")]
    np.testing.assert_array_equal(constant(model, "w"), gaussian(4, 3, 3, 3))


def test_product_over_two_open_axes_is_skipped() -> None:
    """Batch and length are both open, so it stayed a MatMul, which has no bias to correct."""
    model = graph_of(
        "g (float[N,L,6] x) => (float[N,L,5] y) { y = MatMul(x, w) }", w=gaussian(6, 5)
    )
    _, changes = quantized(model, RoundWeights())
    assert changes.counts == {"layers rounded": 0}
    [skipped] = changes.skipped
    assert skipped.node == "n0"
    assert len(next(n for n in model.graph if n.op_type == "MatMul").inputs) == 2


def test_float_layers_are_not_touched() -> None:
    model = GRAPHS["residual"]()
    _, changes = quantized(model, RoundWeights(), keep_float=["n0", "n2"])
    assert changes.counts == {"layers rounded": 2}
    np.testing.assert_array_equal(constant(model, "w0"), constant(GRAPHS["residual"](), "w0"))


def test_without_a_table_nothing_happens() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    before = fingerprint(model)
    [changes] = apply(model, RoundWeights(), context=PassContext())
    assert not changes.modified
    assert fingerprint(model) == before
