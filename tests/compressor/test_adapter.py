import numpy as np
import pytest

from compressor.adapter import Adapter
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Interface, Layout, TensorSpec
from compressor.ir.quant import IntegerType, QuantParams

INT8 = QuantParams.per_tensor(IntegerType.INT8, 0.5, -3)
UINT8 = INT8.shifted(IntegerType.UINT8)


def interface(dtype: str, layout: Layout, params: QuantParams | None) -> Interface:
    shape = ("N", 3, 2, 4) if layout is Layout.NCHW else ("N", 2, 4, 3)
    specs = [
        TensorSpec(name=name, dtype=dtype, shape=shape, layout=layout, quantization=params)
        for name in ("x", "y")
    ]
    return Interface(inputs=(specs[0],), outputs=(specs[1],))


def test_floats_become_integers_in_the_other_order_and_come_back() -> None:
    real = interface("float32", Layout.NCHW, None)
    for params in (INT8, UINT8):
        integer = interface(params.dtype.value, Layout.NHWC, params)
        adapter = Adapter(source=real, artifact=integer)
        x = np.arange(24, dtype=np.float32).reshape(1, 3, 2, 4) / 2
        fed = adapter.feeds({"x": x})["x"]
        assert (fed.dtype, fed.shape) == (params.dtype.numpy, (1, 2, 4, 3))
        assert fed.flags.c_contiguous
        np.testing.assert_array_equal(adapter.outputs({"y": fed})["y"], x)


def test_integers_of_the_source_are_fed_as_they_are() -> None:
    spec = interface("int8", Layout.NHWC, INT8)
    x = np.arange(24, dtype=np.int8).reshape(1, 2, 4, 3)
    assert Adapter(source=spec, artifact=spec).feeds({"x": x})["x"] is x


def test_integers_of_the_source_become_floats_when_the_artifact_takes_floats() -> None:
    adapter = Adapter(
        source=interface("int8", Layout.NHWC, INT8),
        artifact=interface("float32", Layout.NHWC, None),
    )
    fed = adapter.feeds({"x": np.full((1, 2, 4, 3), 5, np.int8)})["x"]
    assert fed.dtype == np.float32
    assert (fed == 4.0).all()


def test_integers_of_unknown_meaning_are_not_fed() -> None:
    real, unknown = interface("float32", Layout.NCHW, None), interface("int8", Layout.NCHW, None)
    with pytest.raises(EdgecError) as caught:
        Adapter(source=real, artifact=unknown).feeds({"x": np.ones((1, 3, 2, 4), np.float32)})
    assert caught.value.code is Code.DATA_DTYPE
