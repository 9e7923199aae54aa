"""What is sampled at a place is what the layer multiplies and answers there."""

import numpy as np
import pytest

from compressor.pruning.sampling import sampler_of
from tests.coupled import inferred
from tests.graphs import gaussian, run_onnx
from tests.tolerances import float32_operator


@pytest.mark.parametrize(
    "attributes",
    [
        "pads=[1,1,1,1]",
        "pads=[0,1,2,1], strides=[2,1]",
        "group=2, strides=[2,2]",
        "group=4, dilations=[2,2]",
    ],
)
def test_inputs_times_weights_are_the_outputs(attributes: str) -> None:
    groups = {"group=2": 2, "group=4": 4}.get(attributes[:7], 1)
    weight = gaussian(8, 4 // groups, 3, 3)
    text = f"g (float[5,4,9,9] x) => (float[N,8,P,Q] y) {{ y = Conv<{attributes}>(x, w) }}"
    model = inferred(text, w=weight)
    [node] = model.graph
    sampler = sampler_of(node, 7, seed=3)
    assert sampler is not None
    x = gaussian(5, 4, 9, 9, seed=1)
    answers = sampler.outputs(run_onnx(model, {"x": x})["y"], 2, 5)
    rows = sampler.inputs(x, 2, 5)
    made = rows @ weight.reshape(groups, 8 // groups, -1).transpose(0, 2, 1)
    made = made.transpose(1, 0, 2).reshape(len(answers), 8)
    assert len(answers) == 5 * 7
    assert np.abs(made - answers).max() <= float32_operator(terms=36) * np.abs(answers).max()


def test_other_batches_look_elsewhere() -> None:
    model = inferred(
        "g (float[N,6] x) => (float[N,3] y) { y = Gemm<transB=1>(x, w) }", w=gaussian(3, 6)
    )
    [node] = model.graph
    sampler = sampler_of(node, 1, seed=0)
    assert sampler is not None
    rows = gaussian(40, 6)
    first, again, other = (sampler.inputs(rows, number, 4) for number in (0, 0, 1))
    assert first.shape == (1, 4, 6)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
