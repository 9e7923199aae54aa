import numpy as np
import pytest

from compressor.adapter import Adapter
from compressor.ir.interface import Layout, interface_of
from compressor.ir.quant import IntegerType
from compressor.ir.verify import verify
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
from compressor.passes.set_io_type import SetIoType
from exporters import onnx
from exporters.protocol import ExportOptions
from tests.graphs import feeds_for, gaussian, graph_of, lines_of, run_onnx
from tests.quantized import GRAPHS, quantized


@pytest.mark.parametrize("name", ["squeeze_excite", "concat"])
@pytest.mark.parametrize("integers", [None, IntegerType.INT8, IntegerType.UINT8])
def test_images_go_in_and_out_channels_last(name: str, integers: IntegerType | None) -> None:
    before = GRAPHS[name]()
    quantized(before)
    after = before.clone()
    SetIoType(integers=integers).run(after, PassContext())
    assert SetIoLayout().run(after, PassContext()).counts == {"inputs": 1, "outputs": 1}
    verify(after, interface_of(after), "set_io_layout")
    found = interface_of(after)
    assert [s.layout for s in (*found.inputs, *found.outputs)] == [Layout.NHWC, Layout.NHWC]
    adapter = Adapter(source=interface_of(before), artifact=found)
    feeds = feeds_for(before)
    want = run_onnx(onnx.write(before, ExportOptions()), feeds)
    have = adapter.outputs(run_onnx(onnx.write(after, ExportOptions()), adapter.feeds(feeds)))
    for output, array in want.items():
        assert have[output].shape == array.shape
        step = np.ptp(array) / 255
        assert np.abs(have[output] - array).max() <= step


def test_other_tensors_stay() -> None:
    text = """g (float[N,3,8,8] x, float[N,5] z) => (float[N,4] y, float[N,5] w)
    { c = Conv(x, k) p = GlobalAveragePool(c) y = Flatten(p) w = Relu(z) }"""
    model = graph_of(text, k=gaussian(4, 3, 1, 1))
    InferShapes().run(model, PassContext())
    assert SetIoLayout().run(model, PassContext()).counts == {"inputs": 1, "outputs": 0}
    assert lines_of(model)[0] == "x_first = Transpose[perm=[0, 3, 1, 2]](x)"
    assert [str(spec) for spec in interface_of(model).inputs] == [
        "x: float32[N, 8, 8, 3] NHWC",
        "z: float32[N, 5]",
    ]


def test_a_second_run_finds_nothing() -> None:
    model = GRAPHS["concat"]()
    SetIoLayout().run(model, PassContext())
    assert not SetIoLayout().run(model, PassContext()).modified
