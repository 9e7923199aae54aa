import pytest

from compressor.analyses.quantized import is_quantized
from compressor.ir.annotations import set_quant
from compressor.ir.quant import IntegerType, QuantParams
from tests.graphs import gaussian, graph_of


@pytest.mark.parametrize("name", ["x", "w", "y"])
def test_one_integer_tensor_is_enough(name: str) -> None:
    model = graph_of("g (float[N,2] x) => (float[N,3] y) { y = MatMul(x, w) }", w=gaussian(2, 3))
    assert not is_quantized(model)
    graph = model.graph
    values = {v.name: v for v in (*graph.inputs, *graph.outputs, *graph.initializers.values())}
    set_quant(values[name], QuantParams.per_tensor(IntegerType.INT8, 0.1, 0))
    assert is_quantized(model)
