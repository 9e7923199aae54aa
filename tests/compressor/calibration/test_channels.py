"""Statistics of channels are those of all values at once, however they arrive."""

from typing import NoReturn

import numpy as np
import pytest

from compressor.calibration.channels import ChannelObserver, collect_channels
from tests.graphs import feeds_for, gaussian, graph_of
from tests.quantized import make_runner
from tests.tolerances import moment_error


@pytest.mark.parametrize("axis", [1, -1])
def test_batches_add_up_to_the_whole(axis: int) -> None:
    values = gaussian(6, 5, 5, 5, seed=3) + 1
    observer = ChannelObserver(axis)
    for batch in np.array_split(values, 3):
        observer.update(batch)
    found = observer.result()
    others = tuple(i for i in range(4) if i != axis % 4)
    np.testing.assert_array_equal(found.low, values.min(axis=others))
    np.testing.assert_array_equal(found.high, values.max(axis=others))
    want = np.square(values, dtype=np.float64).mean(axis=others)
    bound = moment_error(values[..., 0].size, float(want.max()))
    np.testing.assert_allclose(found.power, want, rtol=0, atol=bound)


def test_nothing_observed_has_no_statistics() -> None:
    with pytest.raises(ValueError, match="no value was observed"):
        ChannelObserver(1).result()


def test_inputs_and_computed_values_are_observed() -> None:
    model = graph_of("g (float[N,3,4,4] x) => (float[N,3,4,4] y) { r = Relu(x) y = Neg(r) }")
    batches = [feeds_for(model, batch=4, seed=seed) for seed in range(2)]
    found = collect_channels(model, {"x": 1, "r": 1}, batches, make_runner=make_runner)
    fed = np.concatenate([feeds["x"] for feeds in batches])
    np.testing.assert_array_equal(found["x"].low, fed.min(axis=(0, 2, 3)))
    assert set(found["r"].low) == {0.0}
    np.testing.assert_array_equal(found["r"].high, found["x"].high)


def test_inputs_alone_need_no_run() -> None:
    model = graph_of("g (float[N,3,4,4] x) => (float[N,3,4,4] y) { y = Relu(x) }")

    def refuse(*given: object) -> NoReturn:
        raise AssertionError(given)

    found = collect_channels(model, {"x": 1}, [feeds_for(model, batch=4)], make_runner=refuse)
    assert found["x"].low.shape == (3,)
