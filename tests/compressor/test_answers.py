from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

from compressor import answers
from compressor.answers import Entrant, answers_of, is_large
from compressor.evaluation import Samples
from compressor.progress import Silent
from runtimes.isolate import RemoteSession
from runtimes.protocol import SessionOptions
from tests.graphs import gaussian, graph_of

BATCHES = [{"x": np.arange(3.0)}, {"x": np.arange(3.0, 5.0)}]
SAMPLES = Samples(batches=BATCHES, count=5)


@dataclass
class Runtime:
    """Sessions that multiply, and how many of them were open at once."""

    opened: list[SessionOptions] = field(default_factory=list)
    open_now: int = 0
    most: int = 0

    def entrant(self, factor: float) -> Entrant:
        def load(options: SessionOptions) -> RemoteSession:
            self.opened.append(options)
            self.open_now += 1
            self.most = max(self.most, self.open_now)
            return cast("RemoteSession", Session(self))

        return Entrant(
            open=load,
            feeds=lambda batch: {name: array * factor for name, array in batch.items()},
            outputs=lambda outputs: {"y": outputs["x"] + 1},
        )


class Session:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def run_many(self, batch: Any) -> dict[str, Any]:
        return dict(batch)

    def close(self) -> None:
        self._runtime.open_now -= 1


@pytest.mark.parametrize("large", [False, True])
def test_everyone_answers_on_all_samples(large: bool) -> None:
    runtime = Runtime()
    entrants = [runtime.entrant(1), runtime.entrant(10)]
    first, second = answers_of(entrants, SAMPLES, Silent(), large=large)
    np.testing.assert_array_equal(first.outputs["y"], np.arange(5) + 1)
    np.testing.assert_array_equal(second.outputs["y"], 10 * np.arange(5) + 1)


def test_large_models_are_loaded_one_at_a_time_as_they_are() -> None:
    runtime = Runtime()
    answers_of([runtime.entrant(1), runtime.entrant(2)], SAMPLES, Silent(), large=True)
    assert (runtime.most, runtime.open_now) == (1, 0)
    assert [options.optimize for options in runtime.opened] == [False, False]


def test_others_are_loaded_together_and_stay() -> None:
    runtime = Runtime()
    answers_of([runtime.entrant(1), runtime.entrant(2)], SAMPLES, Silent(), large=False)
    assert (runtime.most, runtime.open_now) == (2, 2)


def test_size_is_that_of_the_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    model = graph_of("g (float[N,8] x) => (float[N,8] y) { y = MatMul(x, w) }", w=gaussian(8, 8))
    monkeypatch.setattr(answers, "LARGE_MODEL_BYTES", gaussian(8, 8).nbytes)
    assert not is_large(model)
    monkeypatch.setattr(answers, "LARGE_MODEL_BYTES", gaussian(8, 8).nbytes - 1)
    assert is_large(model)
