"""INT8 that is slower than float goes back to float, and the report says which and why."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from bench.gate.facts import stale_artifacts
from bench.records import Latency
from bench.size import measure_size
from compressor import measure, rollback
from compressor.compile import Compilation, compile_model
from compressor.recipe import Recipe
from tests.graphs import gaussian, graph_of

NETWORK = """g (float[N,3,8,8] x) => (float[N,5] y) {
  a = Conv<pads=[1,1,1,1]>(x, k) r = Relu(a) d = Conv<group=4, pads=[1,1,1,1]>(r, e)
  p = GlobalAveragePool(d) f = Flatten(p) y = Gemm<transB=1>(f, w) }"""
SLOWER, FASTER = 2.0, 0.5


def compiled(folder: Path, **settings: object) -> Compilation:
    model = graph_of(
        NETWORK, k=gaussian(4, 3, 3, 3), e=gaussian(4, 1, 3, 3, seed=1), w=gaussian(5, 4)
    )
    path = folder / "net.onnx"
    path.write_bytes(ir.to_proto(model).SerializeToString())
    np.savez(folder / "data.npz", x=gaussian(16, 3, 8, 8), x_calib=gaussian(16, 3, 8, 8, seed=4))
    recipe = Recipe(to=("onnx",), latency_seconds=0.05, **settings)  # type: ignore[arg-type]
    return compile_model(str(path), output=folder / "out", data=folder / "data.npz", recipe=recipe)


@pytest.fixture
def timings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let measurements come out as the ratios of this list, then as 1."""
    ratios: list[float] = []

    def time_models(*given: object) -> tuple[Latency, ...]:
        baseline, own = measured(*given)
        ratio = ratios.pop(0) if ratios else 1.0
        count = len(own.elapsed_ns)
        return tuple(
            dataclasses.replace(latency, repeats=1, elapsed_ns=(round(1000 * times),) * count)
            for latency, times in ((baseline, 1.0), (own, ratio))
        )

    measured = measure.time_models
    monkeypatch.setattr(measure, "time_models", time_models)
    monkeypatch.setattr(rollback, "time_models", time_models)
    return ratios


def operators(folder: Path) -> set[str]:
    return {node.op_type for node in onnx.load(folder / "out" / "model.onnx").graph.node}


def test_nothing_goes_back_where_int8_is_faster(tmp_path: Path, timings: list[float]) -> None:
    timings += [FASTER]
    made = compiled(tmp_path)
    assert made.report["rollbacks"] == []
    assert made.summary.integer_macs == 1.0


def test_the_kind_that_slows_it_down_goes_back(tmp_path: Path, timings: list[float]) -> None:
    timings += [SLOWER, SLOWER, FASTER]  # all, without the first kind, without the second
    made = compiled(tmp_path)
    [entry] = made.report["rollbacks"]
    assert entry["what"] == "1 nodes of kind depthwise Conv 3x3"
    assert (entry["before"], entry["after"]) == (SLOWER, FASTER)
    assert 0 < made.summary.integer_macs < 1
    assert any("went back to float" in note for note in made.notes)


def test_weights_stay_integer_where_nothing_helps(tmp_path: Path, timings: list[float]) -> None:
    timings += [SLOWER] * 6
    made = compiled(tmp_path)
    [entry] = made.report["rollbacks"]
    assert entry["what"] == "all layers"
    assert made.summary.integer_macs == 0
    assert made.summary.integer_weights > 0
    assert "QuantizeLinear" not in operators(tmp_path)


def test_the_report_is_about_the_files_that_are_there(tmp_path: Path, timings: list[float]) -> None:
    timings += [SLOWER] * 6
    made = compiled(tmp_path)
    assert made.report["rollbacks"]
    assert stale_artifacts(made.folder, made.report) == frozenset()
    for record in made.artifacts:
        assert record.size == measure_size(made.folder / record.name)
        assert (record.integer_macs, record.operators.get("QuantizeLinear")) == (0.0, None)


def test_slower_files_are_kept_on_request(tmp_path: Path, timings: list[float]) -> None:
    timings += [SLOWER]
    made = compiled(tmp_path, require_faster=False)
    assert made.report["rollbacks"] == []
    assert "QuantizeLinear" in operators(tmp_path)
    assert any("slower than float" in note for note in made.notes)
