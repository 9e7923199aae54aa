"""A network with a sum that INT8 ruins: the layers around it are named, and kept in float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir

from compressor.compile import Compilation, compile_model
from compressor.points import Points
from compressor.recipe import Recipe
from tests.graphs import gaussian, graph_of, run_onnx

NETWORK = """g (float[N,4,6,6] x) => (float[N,6] y) {
  a = Conv<pads=[1,1,1,1]>(x, k) b = Conv(x, l) c = Add(a, b) d = Conv(c, e) r = Relu(d)
  p = GlobalAveragePool(r) f = Flatten(p) y = Gemm<transB=1>(f, w) }"""
LAYERS = {"n0", "n1", "n3", "n7"}
GUILTY = {"n0", "n1", "n3"}
LOUD = 3000.0
ALLOWED = 1.0


def network() -> ir.Model:
    """A network whose sum has a channel 3,000 times as large as the others, and of no effect."""
    kernel, reader = gaussian(8, 4, 3, 3), gaussian(8, 8, 1, 1, seed=1)
    kernel[0] *= LOUD
    reader[:, 0] = 0
    return graph_of(
        NETWORK, k=kernel, l=gaussian(8, 4, 1, 1, seed=5), e=reader, w=gaussian(6, 8, seed=2)
    )


def samples(count: int, seed: int) -> np.ndarray:
    return gaussian(count, 4, 6, 6, seed=seed)


def compiled(folder: Path, **settings: object) -> Compilation:
    model, x = network(), samples(128, 3)
    path = folder / "net.onnx"
    path.write_bytes(ir.to_proto(model).SerializeToString())
    labels = run_onnx(model, {"x": x})["y"].argmax(axis=1)
    np.savez(folder / "data.npz", x=x, y=labels, x_calib=samples(64, 4))
    recipe = Recipe(to=("onnx",), latency_seconds=0, **settings)  # type: ignore[arg-type]
    return compile_model(str(path), output=folder / "out", data=folder / "data.npz", recipe=recipe)


def drop_of(made: Compilation) -> float:
    accuracy = made.artifacts[0].accuracy
    assert accuracy is not None
    assert accuracy.drop is not None
    return accuracy.drop.value


def test_guilty_layers_are_named_and_kept_in_float(tmp_path: Path) -> None:
    made = compiled(tmp_path, max_drop=Points(value=ALLOWED))
    assert drop_of(made) <= ALLOWED
    ranked = made.report["quantization"]["sensitivity"]
    assert ranked[0]["node"] in GUILTY
    assert ranked[0]["sqnr_db"] < ranked[-1]["sqnr_db"]
    assert {entry["node"] for entry in ranked} == LAYERS
    kept = {name for name, _, reason in made.summary.kept_float if "on request" in reason}
    assert kept
    assert kept <= GUILTY
    assert any("kept in float for --max-drop" in note for note in made.notes)


def test_without_a_bound_it_loses_far_more(tmp_path: Path) -> None:
    made = compiled(tmp_path)
    assert drop_of(made) > 10
    assert made.report["quantization"]["sensitivity"] == []


def test_a_bound_that_time_does_not_suffice_for_is_said_to_be_infeasible(tmp_path: Path) -> None:
    made = compiled(tmp_path, max_drop=Points(value=0.0), max_drop_seconds=0.0)
    assert any("infeasible" in note for note in made.notes)
