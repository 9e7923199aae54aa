import numpy as np
import onnx_ir as ir
import pytest

from compressor.adapter import Adapter
from compressor.errors import Code, EdgecError
from compressor.ir.annotations import is_convert, quant_of
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType
from compressor.ir.verify import verify
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_type import SetIoType
from exporters import onnx
from exporters.protocol import ExportOptions
from tests.graphs import feeds_for, gaussian, graph_of, run_onnx
from tests.quantized import GRAPHS, quantized

INTEGERS = [IntegerType.INT8, IntegerType.UINT8]


def with_type(model: ir.Model, integers: IntegerType | None) -> ir.Model:
    changes = SetIoType(integers=integers).run(model, PassContext())
    assert changes.counts == {"inputs": 1, "outputs": 1}
    verify(model, interface_of(model), "set_io_type")
    return model


@pytest.mark.parametrize("integers", INTEGERS)
@pytest.mark.parametrize("name", ["residual", "squeeze_excite", "concat"])
def test_integer_edges_compute_the_same(name: str, integers: IntegerType) -> None:
    before = GRAPHS[name]()
    quantized(before)
    after = with_type(before.clone(), integers)
    adapter = Adapter(source=interface_of(before), artifact=interface_of(after))
    feeds = feeds_for(before)
    want = run_onnx(onnx.write(before, ExportOptions()), feeds)
    found = run_onnx(onnx.write(after, ExportOptions()), adapter.feeds(feeds))
    assert {a.dtype for a in found.values()} == {integers.numpy}
    step = interface_of(after).outputs[0].quantization.scale[0]  # type: ignore[union-attr]
    for output, array in adapter.outputs(found).items():
        assert np.abs(array - want[output]).max() <= step / 2


def test_int8_leaves_no_conversion_and_uint8_one_at_each_end() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    int8, uint8 = (with_type(model.clone(), kind) for kind in INTEGERS)
    assert [n for n in int8.graph if is_convert(n)] == []
    assert len([n for n in uint8.graph if is_convert(n)]) == 2
    grids = [quant_of(edge.graph.inputs[0]) for edge in (int8, uint8)]
    assert grids[0] is not None
    assert grids[1] == grids[0].shifted(IntegerType.UINT8)


@pytest.mark.parametrize("integers", INTEGERS)
def test_float_edges_come_back(integers: IntegerType) -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    before = onnx.write(model.clone(), ExportOptions())
    back = with_type(with_type(model, integers), None)
    assert {s.dtype for s in (*interface_of(back).inputs, *interface_of(back).outputs)} == {
        "float32"
    }
    feeds = feeds_for(back)
    want, have = run_onnx(before, feeds), run_onnx(onnx.write(back, ExportOptions()), feeds)
    np.testing.assert_array_equal(have["y"], want["y"])


def test_a_graph_that_computes_in_float_is_refused() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Softplus(x) }")
    with pytest.raises(EdgecError) as caught:
        SetIoType(integers=IntegerType.INT8).run(model, PassContext())
    assert caught.value.code is Code.RECIPE_INVALID
    assert "input 'x'" in caught.value.what
    assert "Softplus" in caught.value.what


def test_a_float_end_is_refused_with_its_reason() -> None:
    model = GRAPHS["residual"]()
    last = list(model.graph)[-1]
    quantized(model, keep_float=[last.name or ""])
    with pytest.raises(EdgecError, match="output 'y'"):
        SetIoType(integers=IntegerType.INT8).run(model, PassContext())


def test_indices_stay_what_they_are() -> None:
    model = graph_of("g (int64[N] i) => (int64[N] j) { j = Add(i, i) }")
    changes = SetIoType(integers=IntegerType.INT8).run(model, PassContext())
    assert not changes.modified


def test_reading_the_shape_of_an_input_does_not_bind_it_to_floats() -> None:
    text = (
        """g (float[N,3,4,4] x) => (float[N,2,4,4] y, int64[4] s) { y = Conv(x, w) s = Shape(x) }"""
    )
    model = graph_of(text, w=gaussian(2, 3, 1, 1))
    quantized(model)
    SetIoType(integers=IntegerType.INT8).run(model, PassContext())
    verify(model, interface_of(model), "set_io_type")
    assert [spec.dtype for spec in interface_of(model).outputs] == ["int8", "int64"]
