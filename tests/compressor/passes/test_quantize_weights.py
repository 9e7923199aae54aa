import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.ir.annotations import Precision, precision_of, quant_of, reason_of
from compressor.ir.quant import QuantParams
from compressor.ir.rewrite import constant_of
from compressor.passes.quantize_weights import QuantizeWeights
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import apply, gaussian, graph_of, run_onnx
from tests.tolerances import float32_network

MLP = """mlp (float[N,6] x) => (float[N,3] y) {
    h = Gemm<transB = 1>(x, w, b)
    r = Relu(h)
    y = MatMul(r, v)
}"""


def mlp() -> ir.Model:
    return graph_of(MLP, w=gaussian(8, 6), b=gaussian(8), v=gaussian(8, 3, seed=1))


def weight_params_of(model: ir.Model, index: int) -> QuantParams:
    params = quant_of(list(model.graph)[index].inputs[1])
    assert params is not None
    return params


def test_weights_have_one_scale_a_channel_and_layers_stay_float() -> None:
    model = mlp()
    [changes] = apply(model, QuantizeWeights())
    assert changes.counts == {"nodes with integer weights": 2}
    assert [precision_of(node) for node in model.graph] == [
        Precision.WEIGHT_ONLY,
        Precision.FLOAT,
        Precision.WEIGHT_ONLY,
    ]
    gemm, matmul = weight_params_of(model, 0), weight_params_of(model, 2)
    assert (gemm.axis, len(gemm.scale)) == (0, 8)
    assert (matmul.axis, len(matmul.scale)) == (1, 3)
    assert set(gemm.zero_point) == {0}
    assert quant_of(next(iter(model.graph)).inputs[2]) is None  # a bias costs nothing


def test_largest_weight_of_each_channel_becomes_the_last_step() -> None:
    model = mlp()
    apply(model, QuantizeWeights())
    weight = constant_of(next(iter(model.graph)).inputs[1])
    assert weight is not None
    integers = weight_params_of(model, 0).quantize(weight)
    np.testing.assert_array_equal(np.abs(integers.astype(int)).max(axis=1), 127)


def test_file_stores_integers_and_computes_with_their_real_numbers() -> None:
    model = mlp()
    apply(model, QuantizeWeights())
    content = exporter.write(model, ExportOptions())
    matrices = [t for t in onnx.load_from_string(content).graph.initializer if min(t.dims) > 1]
    stored = {t.data_type for t in matrices if t.dims[1:]}
    assert stored == {onnx.TensorProto.INT8}
    x = gaussian(4, 6, seed=2)
    reals = [
        weight_params_of(model, index).dequantize(weight_params_of(model, index).quantize(array))
        for index, array in ((0, gaussian(8, 6)), (2, gaussian(8, 3, seed=1)))
    ]
    want = np.maximum(x @ reals[0].T + gaussian(8), 0) @ reals[1]
    have = run_onnx(content, {"x": x})["y"]
    limit = float32_network(layers=2, terms=8) * np.abs(want).max()
    np.testing.assert_allclose(have, want, rtol=0, atol=limit)


def test_recurrent_layers_quantize_both_weights() -> None:
    model = graph_of(
        "g (float[5,N,4] x) => (float[5,1,N,3] y) { y, h = GRU<hidden_size = 3>(x, w, r) }",
        w=gaussian(1, 9, 4),
        r=gaussian(1, 9, 3, seed=1),
    )
    apply(model, QuantizeWeights())
    [gru] = model.graph
    found = [quant_of(value) for value in gru.inputs[1:3]]
    assert [params and len(params.scale) for params in found] == [9, 9]


def test_what_was_asked_for_stays_float_and_says_so() -> None:
    model = mlp()
    name = next(iter(model.graph)).name or ""
    [changes] = apply(model, QuantizeWeights(keep_float=frozenset({name})))
    assert changes.counts == {"nodes with integer weights": 1}
    assert [skipped.node for skipped in changes.skipped] == [name]
    assert "request" in reason_of(next(iter(model.graph)))


@pytest.mark.parametrize(
    "text",
    [
        "g (float[N,6] x, float[6,3] w) => (float[N,3] y) { y = MatMul(x, w) }",
        "g (float[N,6] x) => (float[N] y) { y = MatMul(x, v) }",
        "g (float[N,6] x) => (float[N,6] y) { y = Mul(x, v) }",
    ],
    ids=["a fed weight", "a vector", "no layer"],
)
def test_other_operands_are_left_alone(text: str) -> None:
    constants = {"v": gaussian(6)} if "v)" in text else {}
    model = graph_of(text, **constants)
    [changes] = apply(model, QuantizeWeights())
    assert not changes.modified


def test_table_of_an_embedding_has_one_scale_a_column() -> None:
    model = graph_of(
        "g (int64[N,5] x) => (float[N,5,4] y) { y = Gather<axis=0>(table, x) }",
        table=gaussian(9, 4),
    )
    apply(model, QuantizeWeights())
    params = quant_of(model.graph.initializers["table"])
    assert params is not None
    assert (params.axis, len(params.scale)) == (1, 4)
