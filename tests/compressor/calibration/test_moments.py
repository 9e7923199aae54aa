import numpy as np
import pytest

from compressor.calibration.moments import FEWEST_POSITIONS, MomentsObserver, PatchGeometry
from tests.graphs import gaussian, graph_of, run_onnx
from tests.tolerances import float32_network, moment_error


def geometry_of(attributes: str, weight: np.ndarray) -> PatchGeometry | None:
    model = graph_of(
        f"g (float[N,6,H,W] x) => (float y) {{ y = Conv<{attributes}>(x, w) }}", w=weight
    )
    return PatchGeometry.of(model.graph[0])


def input_vectors(x: np.ndarray, geometry: PatchGeometry) -> np.ndarray:
    """Gather every input vector by nested loops, shape [groups, vectors, K]."""
    rank = len(geometry.kernel)
    pads = [(0, 0), (0, 0), *zip(geometry.pads[:rank], geometry.pads[rank:], strict=True)]
    padded = np.pad(x, pads)
    rows = []
    for group in np.split(padded, geometry.groups, axis=1):
        found = []
        for sample in group:
            counts = [
                (size - (k - 1) * d - 1) // s + 1
                for size, k, d, s in zip(
                    sample.shape[1:], geometry.kernel, geometry.dilations, geometry.strides,
                    strict=True,
                )
            ]  # fmt: skip
            for output in np.ndindex(*counts):
                taps = [
                    np.array([channel[tuple(
                        o * s + t * d
                        for o, s, t, d in zip(
                            output, geometry.strides, tap, geometry.dilations, strict=True
                        )
                    )] for tap in np.ndindex(*geometry.kernel)])
                    for channel in sample
                ]  # fmt: skip
                found.append(np.concatenate(taps))
        rows.append(found)
    return np.array(rows, np.float64)


@pytest.mark.parametrize(
    ("attributes", "weight", "size"),
    [
        ("group=1", (4, 6, 3, 3), (4, 4)),
        ("strides=[2,2]", (4, 6, 3, 3), (5, 6)),
        ("strides=[2,1], pads=[1,0,0,1]", (4, 6, 3, 2), (5, 2)),
        ("dilations=[2,2]", (4, 6, 3, 3), (6, 6)),
        ("dilations=[2,1], strides=[1,2], pads=[1,1,1,1]", (4, 6, 2, 3), (3, 4)),
        ("group=2", (4, 3, 3, 3), (4, 4)),
        ("group=6", (6, 1, 3, 3), (4, 4)),
        ("group=6", (12, 1, 2, 2), (3, 3)),
        ("group=1", (4, 6, 1, 1), (2, 4)),
        ('auto_pad="VALID"', (4, 6, 3, 3), (4, 4)),
    ],
)
def test_convolution(attributes: str, weight: tuple[int, ...], size: tuple[int, int]) -> None:
    """Outputs are few enough here that every position is looked at."""
    geometry = geometry_of(attributes, gaussian(*weight))
    assert geometry is not None
    observer = MomentsObserver(geometry)
    batches = [gaussian(3, 6, *size, seed=seed) + np.float32(1) for seed in range(3)]
    for batch in batches:
        observer.update(batch)
    vectors = np.concatenate([input_vectors(batch, geometry) for batch in batches], axis=1)
    assert vectors.shape[1] // 9 <= FEWEST_POSITIONS
    found = observer.result()
    assert found.count == vectors.shape[1]
    assert_moments(found.mean, found.covariance, vectors)


def assert_moments(mean: np.ndarray, covariance: np.ndarray, vectors: np.ndarray) -> None:
    power = float((vectors**2).mean(axis=1).max())
    bound = moment_error(vectors.shape[1], power)
    expected = vectors.mean(axis=1)
    centred = vectors - expected[:, None]
    direct = centred.transpose(0, 2, 1) @ centred / vectors.shape[1]
    assert mean.shape == expected.shape
    assert covariance.shape == direct.shape
    assert np.abs(mean - expected).max() <= bound
    assert np.abs(covariance - direct).max() <= bound


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 7), (2, 2, 2, 7)])
def test_rows_of_a_matrix_product(shape: tuple[int, ...]) -> None:
    observer = MomentsObserver(PatchGeometry())
    batches = [gaussian(*shape, seed=seed) for seed in range(4)]
    for batch in batches:
        observer.update(batch)
    rows = np.concatenate([batch.reshape(-1, 7) for batch in batches])[None].astype(np.float64)
    found = observer.result()
    assert found.count == rows.shape[1]
    assert_moments(found.mean, found.covariance, rows)


def test_vectors_lie_as_the_weights_do() -> None:
    """The mean output of a convolution is its weights times the mean vector, plus nothing."""
    x, weight = gaussian(8, 6, 4, 4), gaussian(4, 3, 3, 3)
    attributes = "group=2, strides=[1,1]"
    model = graph_of(
        f"g (float[8,6,4,4] x) => (float[8,4,2,2] y) {{ y = Conv<{attributes}>(x, w) }}", w=weight
    )
    outputs = run_onnx(model, {"x": x})["y"]
    geometry = PatchGeometry.of(model.graph[0])
    assert geometry is not None
    observer = MomentsObserver(geometry)
    observer.update(x)
    mean = observer.result().mean
    predicted = np.einsum("gok,gk->go", weight.reshape(2, 2, -1), mean).ravel()
    actual = outputs.mean(axis=(0, 2, 3))
    bound = float32_network(layers=2, terms=27) * np.abs(outputs).max()
    assert np.abs(predicted - actual).max() <= bound


def test_variance_of_the_output_follows_from_the_covariance() -> None:
    x, weight = gaussian(64, 6), gaussian(5, 6)
    observer = MomentsObserver(PatchGeometry())
    observer.update(x)
    predicted = np.einsum("ok,kl,ol->o", weight, observer.result().covariance[0], weight)
    outputs = x.astype(np.float64) @ weight.T
    bound = moment_error(64, float(outputs.max() ** 2))
    assert np.abs(predicted - outputs.var(axis=0)).max() <= bound


def test_small_variance_beside_a_large_mean_is_not_rounded_away() -> None:
    """Variance 1e-4 next to a squared mean of 1e6, of which float32 keeps steps of 0.06."""
    observer = MomentsObserver(PatchGeometry())
    batches = [gaussian(16, 5, seed=seed, scale=0.01) + np.float32(1000) for seed in range(8)]
    for batch in batches:
        observer.update(batch)
    rows = np.concatenate(batches).astype(np.float64)
    found = observer.result()
    direct = np.cov(rows.T, bias=True)
    assert np.abs(found.covariance[0] - direct).max() <= moment_error(len(rows), direct.max())
    assert np.abs(found.mean[0] - rows.mean(axis=0)).max() <= moment_error(len(rows), 1.0)


def test_large_images_are_sampled_at_a_bounded_number_of_places() -> None:
    geometry = geometry_of("pads=[1,1,1,1]", gaussian(4, 6, 3, 3))
    assert geometry is not None
    observer = MomentsObserver(geometry)
    for seed in range(4):
        observer.update(gaussian(5, 6, 40, 40, seed=seed))
    assert observer.result().count == 4 * 5 * FEWEST_POSITIONS


def test_sampled_moments_estimate_the_real_ones() -> None:
    """Values depend on the row, so looking only at some rows would show."""
    geometry = geometry_of("group=1", gaussian(4, 6, 1, 1))
    assert geometry is not None
    observer = MomentsObserver(geometry)
    ramp = np.broadcast_to(np.linspace(0, 1, 32, dtype=np.float32)[:, None], (6, 32, 32))
    for _ in range(64):
        observer.update(np.stack([ramp] * 4))
    found = observer.result()
    standard_error = np.sqrt(1 / 12 / found.count)
    assert np.abs(found.mean - 0.5).max() <= 5 * standard_error


def test_observers_of_one_stream_agree() -> None:
    """Positions are drawn from a fixed seed: the same data give the same moments."""
    geometry = geometry_of("group=1", gaussian(4, 6, 3, 3))
    assert geometry is not None
    first, second = MomentsObserver(geometry), MomentsObserver(geometry)
    for observer in (first, second):
        observer.update(gaussian(3, 6, 20, 20))
    np.testing.assert_array_equal(first.result().covariance, second.result().covariance)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
def test_implicit_padding_has_no_geometry(auto_pad: str) -> None:
    assert geometry_of(f'auto_pad="{auto_pad}"', gaussian(4, 6, 3, 3)) is None


def test_no_input_no_moments() -> None:
    with pytest.raises(ValueError, match="no input"):
        MomentsObserver(PatchGeometry()).result()
