"""Layers are solved after what they depend on, and for the sums that they complete."""

import math

import numpy as np

from compressor.pruning.waves import waves_of
from tests.coupled import inferred
from tests.graphs import gaussian


def test_waves_and_what_they_aim_at() -> None:
    model = inferred(
        """g (float[N,4,6,6] x) => (float[N,4,6,6] y) {
            a = Conv(x, w0)
            p = Conv(a, w1)
            c = Clip(p, low, high)
            q = Conv(a, w2)
            d = Conv(c, w3)
            s = Add(q, d)
            y = Relu(s)
        }""",
        **{f"w{i}": gaussian(4, 4, 1, 1, seed=i) for i in range(4)},
        low=np.float32(0),
        high=np.float32(6),
    )
    waves = waves_of(model)
    assert [[task.node for task in wave] for wave in waves] == [["n0"], ["n1", "n3"], ["n4"]]
    tasks = {task.node: task for wave in waves for task in wave}
    assert (tasks["n1"].target, tasks["n1"].beside, tasks["n1"].bounds) == ("p", None, (0.0, 6.0))
    assert (tasks["n3"].target, tasks["n3"].beside) == ("q", None)
    assert (tasks["n4"].target, tasks["n4"].beside) == ("s", "q")
    assert tasks["n4"].bounds == (0.0, math.inf)
    assert tasks["n0"].bounds == (-math.inf, math.inf)


def test_sum_behind_a_reshape_is_completed_too() -> None:
    model = inferred(
        """g (float[2,3,4] x) => (float[2,3,4] y) {
            r = Reshape(x, rows)
            a = Gemm<transB=1>(r, w0)
            b = Reshape(a, back)
            y = Add(x, b)
        }""",
        w0=gaussian(4, 4),
        rows=np.array([-1, 4]),
        back=np.array([2, 3, 4]),
    )
    [[task]] = waves_of(model)
    assert (task.target, task.beside) == ("y", "x")
