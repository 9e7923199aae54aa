"""Mostly zero constants are stored without their zeros, and restored exactly."""

import numpy as np
import pytest

from compressor.ir.rewrite import constant_of, set_constant
from compressor.ir.sparsity import Sparsity
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from compressor.passes.sparsify import Sparsify
from exporters.protocol import ExportOptions
from exporters.tflite.export import write
from exporters.tflite.sparse import Sparse, encode
from tests.graphs import gaussian, graph_of
from tests.quantized import quantized


def decoded(sparse: Sparse, shape: tuple[int, ...]) -> np.ndarray:
    """Read the form as its specification says: dense dimensions, then rows of places."""
    order = sparse.parameters.traversalOrder.tolist()
    rows = sparse.parameters.dimMetadata[-1]
    walked = [dimension.denseSize for dimension in sparse.parameters.dimMetadata[:-1]]
    assert walked == [shape[a] for a in order[:-1]]
    result = np.zeros([shape[a] for a in order], sparse.values.dtype).reshape(-1, shape[order[-1]])
    bounds = rows.arraySegments.values
    for row in range(len(result)):
        here = slice(int(bounds[row]), int(bounds[row + 1]))
        result[row, rows.arrayIndices.values[here]] = sparse.values[here]
    return result.reshape([shape[a] for a in order]).transpose(np.argsort(order))


@pytest.mark.parametrize("shape", [(300, 40), (64, 1, 1, 600), (8, 3, 3, 70_000), (20, 3, 3, 8)])
def test_round_trip(shape: tuple[int, ...]) -> None:
    array = gaussian(*shape)
    array[np.abs(array) < 1.7] = 0
    found = encode(array)
    assert found is not None
    assert np.array_equal(decoded(found, shape), array)
    assert found.values.size == np.count_nonzero(array)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_dense_and_small_constants_stay(share: float) -> None:
    array = gaussian(64, 64)
    array[np.abs(array) < share] = 0
    assert encode(array) is None
    assert encode(np.zeros((5, 5), np.float32)) is None


# Float weights of 4 bytes are written as 4 + 1, integers of 1 byte as 1 + 1; files hold more.
RATIOS = {("90%", False): 3.0, ("90%", True): 1.8, ("2:4", False): 1.2, ("2:4", True): 1.0}


@pytest.mark.parametrize(("sparsity", "integer"), RATIOS)
def test_file_answers_like_its_dense_twin(sparsity: str, integer: bool) -> None:
    """Zeros survive quantization; both files are run in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    model = graph_of(
        """g (float[1,8,6,6] x) => (float[1,10] y) {
            a = Conv<pads=[1,1,1,1]>(x, w0, b0)
            r = Relu(a)
            c = Conv(r, w1, b1)
            m = GlobalAveragePool(c)
            f = Reshape(m, rows)
            y = Gemm<transB=1>(f, w2, b2)
        }""",
        w0=gaussian(128, 8, 3, 3),
        b0=gaussian(128),
        w1=gaussian(256, 128, 1, 1),
        b1=gaussian(256),
        w2=gaussian(10, 256),
        b2=gaussian(10),
        rows=np.array([1, 256]),
    )
    InferShapes().run(model, PassContext())
    Sparsify(sparsity=Sparsity.parse(sparsity, "")).run(model, PassContext())
    if integer:
        quantized(model)
    dense = write(model, ExportOptions())
    sparse = write(model, ExportOptions(sparse_weights=True))
    assert len(dense) >= RATIOS[sparsity, integer] * len(sparse)
    feed = gaussian(1, 8, 6, 6)
    outputs = []
    for content in (dense, sparse):
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], feed)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    assert np.array_equal(*outputs)
    assert np.ptp(outputs[0]) > 0


def test_zeros_of_the_weights_are_those_of_the_file() -> None:
    text = "g (float[2,64] x) => (float[2,32] y) { y = Gemm<transB=1>(x, w) }"
    model = graph_of(text, w=gaussian(32, 64))
    weight = model.graph.initializers["w"]
    array = constant_of(weight)
    assert array is not None
    set_constant(weight, np.where(np.abs(array) < 1.5, 0, array))
    InferShapes().run(model, PassContext())
    sparse = write(model, ExportOptions(sparse_weights=True))
    assert len(sparse) < len(write(model, ExportOptions()))
