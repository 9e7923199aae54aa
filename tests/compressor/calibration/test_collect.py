from collections.abc import Iterator

import numpy as np
import onnx_ir as ir
import pytest

from compressor.calibration.collect import collect
from compressor.calibration.histogram import HistogramObserver
from compressor.calibration.minmax import MinMaxObserver
from compressor.errors import Code, EdgecError
from compressor.ir.fingerprint import fingerprint
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of
from tests.quantized import make_runner


@pytest.fixture
def model() -> ir.Model:
    found = graph_of(
        """g (float[N,6] x) => (float[N,3] y) {
            a = Gemm<transB=1>(x, w)
            b = Sqrt(a)
            c = Gemm<transB=1>(b, v)
            y = Neg(c)
        }""",
        w=np.eye(6, dtype=np.float32),
        v=gaussian(3, 6),
    )
    InferShapes().run(found, PassContext())
    return found


def batches(*, count: int = 3, bad: int | None = None) -> Iterator[dict[str, np.ndarray]]:
    for index in range(count):
        x = np.abs(gaussian(4, 6, seed=index))
        if index == bad:
            x[0, 0] = -1
        yield {"x": x}


def test_statistics_of_inputs_and_inner_values(model: ir.Model) -> None:
    table = collect(
        model, ["x", "b"], batches(), make_runner=make_runner, make_observer=MinMaxObserver
    )
    x = np.concatenate([feeds["x"] for feeds in batches()])
    assert table.samples == 12
    assert (table.of("x").low, table.of("x").high) == (x.min(), x.max())
    assert (table.of("b").low, table.of("b").high) == (np.sqrt(x).min(), np.sqrt(x).max())
    assert set(table.tensors) == {"x", "b"}


def test_table_belongs_to_the_graph(model: ir.Model) -> None:
    table = collect(model, ["b"], batches(), make_runner=make_runner, make_observer=MinMaxObserver)
    table.require(fingerprint(model))
    model.graph[3].op_type = "Abs"
    with pytest.raises(EdgecError) as caught:
        table.require(fingerprint(model))
    assert caught.value.code is Code.CALIBRATION_MISMATCH


def test_moments_of_layers_by_node_name(model: ir.Model) -> None:
    layers = [node for node in model.graph if node.op_type == "Gemm"]
    table = collect(
        model,
        ["b"],
        batches(),
        make_runner=make_runner,
        make_observer=HistogramObserver,
        layers=layers,
    )
    x = np.concatenate([feeds["x"] for feeds in batches()])
    assert set(table.moments) == {"n0", "n2"}
    np.testing.assert_allclose(table.moments["n0"].mean[0], x.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(table.moments["n2"].mean[0], np.sqrt(x).mean(axis=0), rtol=1e-6)
    assert set(table.tensors) == {"b"}


def test_progress_counts_samples(model: ir.Model) -> None:
    seen: list[int] = []
    collect(
        model,
        ["b"],
        batches(),
        make_runner=make_runner,
        make_observer=MinMaxObserver,
        progress=seen.append,
    )
    assert seen == [4, 8, 12]


@pytest.mark.parametrize("observer", [MinMaxObserver, HistogramObserver])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_nan_names_the_first_node_where_it_happens(
    model: ir.Model, observer: type, bad: int
) -> None:
    with pytest.raises(EdgecError) as caught:
        collect(
            model,
            ["y", "c", "b", "a", "x"],
            batches(bad=bad),
            make_runner=make_runner,
            make_observer=observer,
        )
    assert caught.value.code is Code.FLOAT_NOT_FINITE
    assert caught.value.where == "node 'n1' (Sqrt)"
    assert "'b'" in caught.value.what


def test_batches_are_drawn_one_at_a_time(model: ir.Model) -> None:
    """No batch is kept: when the next is asked for, the one before has been observed."""
    observed = []

    class Recording(MinMaxObserver):
        def update(self, values: np.ndarray) -> None:
            observed.append(len(values))
            super().update(values)

    def stream() -> Iterator[dict[str, np.ndarray]]:
        for index, feeds in enumerate(batches()):
            assert len(observed) == index
            yield feeds

    collect(model, ["b"], stream(), make_runner=make_runner, make_observer=Recording)


def test_nothing_to_watch_runs_nothing(model: ir.Model) -> None:
    """A graph without integer nodes asks for no values; a runtime refuses to compute none."""
    table = collect(model, [], batches(), make_runner=make_runner, make_observer=MinMaxObserver)
    assert (table.samples, table.tensors) == (12, {})


def test_inputs_alone_run_nothing(model: ir.Model) -> None:
    table = collect(model, ["x"], batches(), make_runner=make_runner, make_observer=MinMaxObserver)
    assert table.of("x").low >= 0
