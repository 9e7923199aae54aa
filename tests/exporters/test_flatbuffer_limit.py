import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import set_quant
from compressor.ir.quant import IntegerType, QuantParams
from exporters._flatbuffer_limit import refuse_large
from exporters.protocol import ExportOptions, WeightType
from tests.graphs import gaussian, graph_of

NET = "net (float[N,64] x) => (float[N,64] y) { y = MatMul(x, w) }"
FLOAT_BYTES = 64 * 64 * 4
HALF = ExportOptions(float_weights=WeightType.FLOAT16)


def test_what_would_not_fit_is_refused_with_its_size() -> None:
    model = graph_of(NET, w=gaussian(64, 64))
    refuse_large(model, ExportOptions(), "tflite", largest=FLOAT_BYTES)
    with pytest.raises(EdgecError, match="16,384 bytes") as caught:
        refuse_large(model, ExportOptions(), "tflite", largest=FLOAT_BYTES - 1)
    assert caught.value.code is Code.ARTIFACT_TOO_LARGE


def test_constants_count_as_they_are_stored() -> None:
    model = graph_of(NET, w=gaussian(64, 64))
    refuse_large(model, HALF, "tflite", largest=FLOAT_BYTES // 2)
    params = QuantParams.per_tensor(IntegerType.INT8, 0.1, 0)
    set_quant(model.graph.initializers["w"], params)
    refuse_large(model, ExportOptions(), "tflite", largest=FLOAT_BYTES // 4)
    with pytest.raises(EdgecError):
        refuse_large(model, ExportOptions(), "tflite", largest=FLOAT_BYTES // 4 - 1)
