from pathlib import Path

import onnx_ir as ir
import pytest

from bench.cell import Cell
from compressor.benchmark import BenchOptions, run_benchmark
from compressor.errors import Code, EdgecError
from compressor.ir.quant import IntegerType
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
from compressor.passes.set_io_type import SetIoType
from exporters import tflite
from exporters.protocol import ExportOptions
from tests.graphs import graph_of
from tests.quantized import GRAPHS, quantized

QUICK = BenchOptions(seconds=0.1)


def saved(folder: Path) -> tuple[str, str]:
    """Write a float network as ONNX, and as TFLite with uint8 images in NHWC order."""
    model = GRAPHS["residual"]()
    ir.save(model, folder / "net.onnx")
    quantized(model)
    for step in (SetIoType(integers=IntegerType.UINT8), SetIoLayout()):
        step.run(model, PassContext())
    (folder / "net.tflite").write_bytes(tflite.write(model, ExportOptions()))
    return str(folder / "net.onnx"), str(folder / "net.tflite")


def by_key(cells: tuple[Cell, ...]) -> dict[tuple[str, str], Cell]:
    return {cell.key: cell for cell in cells}


def test_models_of_different_interfaces_side_by_side(tmp_path: Path) -> None:
    found = run_benchmark(saved(tmp_path), ("ort", "litert:threads=2"), options=QUICK)
    cells = by_key(found.cells)
    assert set(cells) == {
        (m, t) for m in ("net.onnx", "net.tflite") for t in ("ort", "litert:threads=2")
    }
    for (model, _), cell in cells.items():
        assert cell.error is None
        assert cell.latency is not None
        assert cell.cold is not None
        assert cell.percentiles_ms is not None
        assert (
            cell.percentiles_ms["p50"] <= cell.percentiles_ms["p90"] <= cell.percentiles_ms["p99"]
        )
        assert (cell.ratio is None) is (model == "net.onnx")
    tflite_cell = cells["net.tflite", "litert:threads=2"]
    assert tflite_cell.latency is not None
    assert tflite_cell.latency.threads == 2
    assert tflite_cell.delegated is not None
    tree = found.to_json()
    assert tree["environment"]["cores"] >= 1
    assert len(tree["cells"][0]["latency"]["elapsed_ns"]) >= 1


def test_a_refusal_is_a_cell_and_the_rest_goes_on(tmp_path: Path) -> None:
    ir.save(GRAPHS["residual"](), tmp_path / "a.onnx")
    ir.save(graph_of("g (float[N,3,8,8] x) => (float[N,3] y) { y = Det(x) }"), tmp_path / "b.onnx")
    paths = (str(tmp_path / "a.onnx"), str(tmp_path / "b.onnx"))
    found = by_key(run_benchmark(paths, ("litert",), options=QUICK).cells)
    assert found["a.onnx", "litert"].latency is not None
    error = found["b.onnx", "litert"].error
    assert error is not None
    assert error["code"] == Code.NO_LOWERING.ident
    with pytest.raises(EdgecError) as caught:
        run_benchmark(paths[1:], ("litert",), options=QUICK)
    assert caught.value.code is Code.NO_LOWERING


def test_batches_and_pauses(tmp_path: Path) -> None:
    options = BenchOptions(seconds=0.2, batch=16, pause_s=0.01)
    found = run_benchmark(saved(tmp_path)[:1], ("ort",), options=options).cells[0]
    assert found.latency is not None
    assert found.latency.repeats == 1  # each run is one sample, after a rest
    assert len(found.latency.elapsed_ns) <= 20


def test_an_unknown_target(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        run_benchmark(saved(tmp_path), ("orrt",), options=QUICK)
    assert caught.value.code is Code.TARGET_UNKNOWN
