"""Files of an open batch run for any number of samples; what cannot is refused by name."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from compressor.source import read_source
from exporters import onnx, tflite
from exporters.protocol import ExportOptions
from runtimes.litert import open_session
from runtimes.protocol import SessionOptions
from tests.graphs import feeds_for, graph_of, run_onnx
from tests.quantized import GRAPHS, quantized
from tests.tolerances import float32_network

ANY = ExportOptions(open_batch=True)


def answers(model: ir.Model, batch: int, folder: Path, *, optimize: bool) -> dict[str, np.ndarray]:
    path = folder / "model.tflite"
    path.write_bytes(tflite.write(model, ANY))
    session = open_session(path, SessionOptions(optimize=optimize))
    assert not isinstance(session.interface.inputs[0].shape[0], int)
    return session.run(feeds_for(model, batch=batch))


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ["residual", "squeeze_excite", "concat", "transformer"])
def test_graphs_take_any_number_of_samples(
    name: str, batch: int, optimize: bool, tmp_path: Path
) -> None:
    model = GRAPHS[name]()
    InferShapes().run(model, PassContext())
    want = run_onnx(model, feeds_for(model, batch=batch))
    have = answers(model, batch, tmp_path, optimize=optimize)
    for output, array in want.items():
        assert have[output].shape == array.shape
        bound = float32_network(layers=20, terms=200) * np.abs(array).max()
        assert np.abs(have[output] - array).max() <= bound


@pytest.mark.parametrize("name", ["residual", "concat"])
def test_integers_as_well(name: str, tmp_path: Path) -> None:
    model = GRAPHS[name]()
    quantized(model)
    feeds = feeds_for(model, batch=4)
    want = run_onnx(onnx.write(model, ExportOptions()), feeds)
    have = answers(model, 4, tmp_path, optimize=True)
    for output, array in want.items():
        assert np.abs(have[output] - array).mean() <= np.ptp(array) / 255


@pytest.mark.parametrize("name", ["residual_cnn", "mobilenet"])
def test_trained_models(name: str, repository: Path, tmp_path: Path) -> None:
    model = read_source(str(repository / "models" / name / "model.onnx")).model
    want = run_onnx(model, feeds_for(model, batch=5))
    have = answers(model, 5, tmp_path, optimize=True)
    for output, array in want.items():
        bound = float32_network(layers=60, terms=1000) * np.abs(array).max()
        assert np.abs(have[output] - array).max() <= bound


def test_constants_of_the_batch_size_are_refused() -> None:
    model = graph_of(
        """g (float[N,4] x) => (float[N,4] y) {
            s = Shape(x) c = Expand(row, s) y = Mul(c, x) z = Tanh(c)
        }""",
        row=np.ones((1, 4), np.float32),
    )
    model.graph.outputs.append(next(n for n in model.graph if n.op_type == "Tanh").outputs[0])
    InferShapes().run(model, PassContext())
    with pytest.raises(EdgecError) as caught:
        tflite.write(model, ANY)
    assert caught.value.code is Code.NO_LOWERING
    tflite.write(model, ExportOptions())


def test_a_fixed_batch_stays() -> None:
    model = graph_of("g (float[2,4] x) => (float[2,4] y) { y = Tanh(x) }")
    assert tflite.write(model, ANY) == tflite.write(model, ExportOptions())
