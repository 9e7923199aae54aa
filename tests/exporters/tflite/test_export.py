"""From a graph to a file: interface, refusals, whole networks, and what never changes."""

import json
import os
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.calibration.collect import collect
from compressor.calibration.histogram import HistogramObserver
from compressor.errors import Code, EdgecError
from compressor.ir.annotations import is_convert, quant_of
from compressor.passes.protocol import PassContext
from compressor.passes.quantize_static import QuantizeStatic, calibration_targets
from compressor.source import read_source
from exporters import tflite
from exporters.protocol import ExportOptions, WeightType
from tests.exporters.tflite.fake_quant import fake_quantized, run_onnx, tapped
from tests.exporters.tflite.harness import (
    OPTIONS,
    Arrays,
    LiteRt,
    assert_float_parity,
    feeds_for,
    operators,
    parse,
    to_integers,
    unpacked,
    with_random_constants,
)
from tests.tolerances import float16_network, float32_network

MODELS = Path(__file__).parents[3] / "models"
GOLDEN = Path(__file__).with_name("residual_cnn.golden.txt")
LAYERS = 40
TERMS = 1200
MEAN_STEPS = 1.0

CONV = """g (float[N,3,8,8] x, float[4,3,3,3] w, float[4] b) => (float[N,4,8,8] y)
{ c = Conv<pads=[1,1,1,1]>(x, w, b) y = Relu(c) }"""


def quantized(model: ir.Model, batches: list[Arrays]) -> ir.Model:
    """Return *model* annotated as static INT8."""
    names = calibration_targets(model)
    table = collect(model, names, batches, make_runner=tapped, make_observer=HistogramObserver)
    copy = model.clone()
    QuantizeStatic().run(copy, PassContext(table=table))
    return copy


def mean_steps(model: ir.Model, litert: LiteRt, batches: list[Arrays]) -> float:
    """Return the mean distance between LiteRt and the fake-quantized graph in output steps."""
    data, reference = tflite.write(model, OPTIONS), fake_quantized(model)
    distances = []
    for feeds in batches:
        want, have = run_onnx(reference, feeds), litert(data, feeds)
        for value in model.graph.outputs:
            maker = value.producer()
            params = quant_of(maker.inputs[0]) if is_convert(maker) else None
            step = params.scale[0] if params else np.abs(want[value.name]).max() / 255
            distances.append(np.abs(have[value.name] - want[value.name]).ravel() / step)
    return float(np.concatenate(distances).mean())


def test_the_same_model_gives_the_same_bytes() -> None:
    model = with_random_constants(parse(CONV))
    assert tflite.write(model, OPTIONS) == tflite.write(model, OPTIONS)


def test_the_model_is_not_changed() -> None:
    model = to_integers(
        with_random_constants(parse(CONV)), {"x": (-3, 3), "c": (0, 4), "y": (0, 4)}
    )
    before = ir.to_onnx_text(model)
    params = {value.name: quant_of(value) for node in model.graph for value in node.outputs}
    tflite.write(model, OPTIONS)
    assert ir.to_onnx_text(model) == before
    assert params == {v.name: quant_of(v) for node in model.graph for v in node.outputs}


def test_interface_keeps_names_and_binds_the_batch() -> None:
    model = unpacked(tflite.write(with_random_constants(parse(CONV)), OPTIONS))
    graph, signature = model.subgraphs[0], model.signatureDefs[0]
    assert signature.signatureKey == b"serving_default"
    for tensors, maps, name, shape in (
        (graph.inputs, signature.inputs, b"x", [1, 3, 8, 8]),
        (graph.outputs, signature.outputs, b"y", [1, 4, 8, 8]),
    ):
        assert [m.name for m in maps] == [name]
        assert [m.tensorIndex for m in maps] == list(tensors)
        assert graph.tensors[tensors[0]].name == name
        assert list(graph.tensors[tensors[0]].shape) == shape


def test_weights_keep_their_names() -> None:
    model = unpacked(tflite.write(with_random_constants(parse(CONV)), OPTIONS))
    assert {b"w", b"b"} <= {tensor.name for tensor in model.subgraphs[0].tensors}


def test_manifest_and_oldest_runtime_are_in_the_file() -> None:
    manifest = {"source": "abc", "recipe": "int8"}
    data = tflite.write(with_random_constants(parse(CONV)), ExportOptions(manifest=manifest))
    model = unpacked(data)
    entries = {entry.name: bytes(model.buffers[entry.buffer].data) for entry in model.metadata}
    assert json.loads(entries[b"edgec"]) == manifest
    assert entries[b"min_runtime_version"].rstrip(b"\0") == b"1.14.0"


REFUSED = {
    "NonZero": "g (float[2,3] x) => (int64[2,K] y) { y = NonZero(x) }",
    "Det": "g (float[2,3,3] x) => (float[2] y) { y = Det(x) }",
    "MaxPool": """g (float[1,1,4,4] x) => (float[1,1,2,2] y, int64[1,1,2,2] i)
    { y, i = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }""",
    "LRN": "g (float[1,4,4,4] x) => (float[1,4,4,4] y) { y = LRN<size=2>(x) }",
    "ScatterND": """g (float[4] x, float[1] x2, int64[1,1] x_i) => (float[4] y)
    { y = ScatterND<reduction="max">(x, x_i, x2) }""",
    "Resize": """g (float[1,1,4,4] x, float[4] x_s) => (float[1,1,8,8] y)
    { y = Resize(x, , x_s) }""",
    "Conv": """g (float[1,1,4,4,4] x, float[1,1,3,3,3] x2) => (float[1,1,2,2,2] y)
    { y = Conv(x, x2) }""",
}


@pytest.mark.parametrize("op_type", list(REFUSED))
def test_check_and_write_refuse_alike(op_type: str) -> None:
    model = parse(REFUSED[op_type])
    model.graph[0].name = "the node"
    refusals = tflite.check(model, OPTIONS)
    assert [(r.node, r.op_type) for r in refusals] == [("the node", op_type)]
    assert refusals[0].reason
    with pytest.raises(EdgecError) as caught:
        tflite.write(model, OPTIONS)
    assert caught.value.code is Code.NO_LOWERING
    assert "the node" in caught.value.where


def test_all_refused_nodes_are_named() -> None:
    text = """g (float[2,3,3] x) => (float[2] z, float[2,3,3] u)
    { y = Det(x) z = Relu(y) u = LRN<size=2>(x) }"""
    assert [r.op_type for r in tflite.check(parse(text), OPTIONS)] == ["Det", "LRN"]


@pytest.mark.parametrize("folder", ["residual_cnn", "mobilenet", "vit", "gru"])
def test_reference_models(folder: str, litert: LiteRt) -> None:
    path = MODELS / folder / "model.onnx"
    if not path.is_file():
        pytest.skip(f"models/{folder} has not been trained yet")
    model = read_source(str(path)).model
    batches = [feeds_for(model, seed, low=0, high=1) for seed in range(4)]
    assert_float_parity(model, litert, float32_network(layers=LAYERS, terms=TERMS), batches[0])
    integer = quantized(model, batches)
    assert tflite.check(integer, OPTIONS) == []
    assert mean_steps(integer, litert, batches) <= MEAN_STEPS


def test_residual_cnn_has_the_known_operators() -> None:
    model = read_source(str(MODELS / "residual_cnn" / "model.onnx")).model
    integer = quantized(model, [feeds_for(model, 0)])
    found = "\n".join(operators(tflite.write(integer, OPTIONS))) + "\n"
    if os.environ.get("EDGEC_UPDATE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


def test_float16_weights_are_half_the_size(litert: LiteRt) -> None:
    model = read_source(str(MODELS / "residual_cnn" / "model.onnx")).model
    feeds = feeds_for(model, low=0, high=1)
    whole = tflite.write(model, OPTIONS)
    half = tflite.write(model, ExportOptions(float_weights=WeightType.FLOAT16))
    assert len(half) < 0.55 * len(whole)
    assert "DEQUANTIZE" in operators(half)
    want, have = run_onnx(model, feeds)["logits"], litert(half, feeds)["logits"]
    tolerance = float16_network(layers=14)
    np.testing.assert_allclose(have, want, rtol=0, atol=tolerance * np.abs(want).max())


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    [
        "cifar10_resnet20",
        "fastestdet_coco",
        "fmnist_lenet",
        "mlperf_ae_toycar",
        "mlperf_dscnn_kws",
        "mlperf_resnet8_cifar10",
        "pneumoniamnist_smallresnet",
    ],
)
def test_real_models(folder: str, shared_data: Path, litert: LiteRt) -> None:
    model = read_source(str(shared_data / "models" / folder / "model.onnx")).model
    batches = [feeds_for(model, seed, low=-2, high=2) for seed in range(4)]
    tolerance = float32_network(layers=2 * LAYERS, terms=TERMS)
    found = assert_float_parity(model, litert, tolerance, batches[0])
    assert found.count("TRANSPOSE") <= (4 if folder == "fastestdet_coco" else 1)
    assert mean_steps(quantized(model, batches), litert, batches) <= MEAN_STEPS
