"""Integer files: the annotated graph means what LiteRT computes, to the step."""

from pathlib import Path

import numpy as np
import pytest

from compressor.ingest.options import IngestOptions
from compressor.ingest.tflite import load
from compressor.ingest.tflite.importer import import_bytes
from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType
from compressor.ir.verify import verify
from compressor.source import read_source
from exporters import tflite
from exporters.protocol import ExportOptions
from tests.compressor.ingest.tflite.integer_cases import CASES, convolution, integers
from tests.compressor.ingest.tflite.litert import LiteRt, in_onnx_runtime, random_feeds
from tests.tolerances import float32_operator, hybrid_product

# What TFLite cannot write again: no kernel has 16-bit activations here, or weights with a zero
# point.
ONE_WAY = {"16-bit activations", "legacy uint8"}


@pytest.mark.parametrize("name", CASES)
def test_it_computes_the_same(name: str, litert: LiteRt) -> None:
    data = CASES[name]()
    model = import_bytes(data)
    interface = interface_of(model)
    verify(model, interface, "import")
    feeds = random_feeds(interface)
    want, have = litert.run(data, feeds)["y"], in_onnx_runtime(model, feeds)["y"]
    assert (have.shape, have.dtype) == (want.shape, want.dtype)
    difference = np.abs(have.astype(np.float64) - want.astype(np.float64)).max()
    if want.dtype.kind == "i" or want.dtype.kind == "u":
        assert difference <= 1
    elif name.startswith("dynamic range"):
        [weight] = [n.inputs[1] for n in model.graph if precision_of(n) is Precision.DYNAMIC]
        rows = weight.const_value.numpy().reshape(weight.shape[0], -1)
        assert difference <= hybrid_product(feeds["x"].reshape(len(feeds["x"]), -1), rows)
    else:
        assert difference <= float32_operator(terms=64) * np.abs(want).max()


@pytest.mark.parametrize("name", [name for name in CASES if name not in ONE_WAY])
def test_written_again_it_is_the_same_file_in_other_words(
    name: str, litert: LiteRt, tmp_path: Path
) -> None:
    data = CASES[name]()
    path = tmp_path / "m.tflite"
    path.write_bytes(data)
    again = tflite.write(read_source(str(path)).model, ExportOptions())
    feeds = random_feeds(litert.interface(data))
    want, have = litert.run(data, feeds)["y"], litert.run(again, feeds)["y"]
    assert have.dtype == want.dtype
    bound = float32_operator(terms=64) * np.abs(want).max() if want.dtype.kind == "f" else 0
    assert np.abs(have.astype(np.float64) - want.astype(np.float64)).max() <= bound


def test_constants_are_real_numbers_that_quantize_to_the_very_integers() -> None:
    model = import_bytes(convolution())
    node = next(node for node in model.graph if node.op_type == "Conv")
    weight, bias = node.inputs[1], node.inputs[2]
    assert weight is not None
    assert bias is not None
    params = quant_of(weight)
    assert params is not None
    assert params.axis == 0
    want = integers(6, 3, 3, 4).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(params.quantize(weight.const_value.numpy()), want)
    biases = quant_of(bias)
    assert biases is not None
    assert biases.dtype is IntegerType.INT32
    want = np.arange(-2, 4) * 1000
    np.testing.assert_array_equal(biases.quantize(bias.const_value.numpy()), want)


@pytest.mark.parametrize(
    ("name", "op_type", "precision"),
    [
        ("conv", "Conv", Precision.INTEGER),
        ("dynamic range", "Gemm", Precision.DYNAMIC),
        ("dynamic range conv", "Conv", Precision.DYNAMIC),
        ("weight only", "Gemm", Precision.WEIGHT_ONLY),
        ("float island", "Sin", Precision.FLOAT),
    ],
)
def test_precision_says_how_the_kernel_computes(
    name: str, op_type: str, precision: Precision
) -> None:
    [node] = [node for node in import_bytes(CASES[name]()).graph if node.op_type == op_type]
    assert precision_of(node) is precision


def test_integer_interfaces_are_kept() -> None:
    interface = interface_of(import_bytes(CASES["uint8 interface"]()))
    assert [str(spec) for spec in interface.inputs] == ["x: uint8[2, 8]"]
    assert [str(spec) for spec in interface.outputs] == ["y: uint8[2, 5]"]
    found = interface.inputs[0].quantization
    assert found is not None
    assert (found.scale, found.zero_point) == ((float(np.float32(0.05)),), (118,))


def test_unsigned_integers_are_signed_inside() -> None:
    model = import_bytes(CASES["legacy uint8"]())
    kinds = {quant_of(v).dtype for n in model.graph for v in n.inputs if v and quant_of(v)}
    assert kinds == {IntegerType.UINT8, IntegerType.INT8, IntegerType.INT32}
    assert [v.name for v in model.graph.inputs if quant_of(v).dtype is IntegerType.UINT8] == ["x"]


def test_load_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(convolution())
    assert interface_of(load(path, IngestOptions())).inputs[0].name == "x"
