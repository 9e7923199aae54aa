import dataclasses

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import Precision, set_precision, set_quant
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.round_weights import RoundWeights
from exporters import onnx as exporter
from exporters.protocol import ExportOptions, WeightType
from tests.graphs import constant, feeds_for, gaussian, graph_of, lines_of, run_onnx
from tests.quantized import GRAPHS, quantized, real_values
from tests.tolerances import QUANTIZED_STEP, float32_network

INT8 = ExportOptions(activations=IntegerType.INT8)
UINT8 = ExportOptions(activations=IntegerType.UINT8)
HALF = ExportOptions(float_weights=WeightType.FLOAT16)


def loaded(content: bytes) -> ir.Model:
    return ir.from_proto(onnx.load_from_string(content))


def output_step(model: ir.Model, name: str) -> float:
    """Return the step of the integer behind output *name*, or of the coarsest tensor before it."""
    steps = [
        value.meta["edgec.quant"].scale[0]
        for node in model.graph
        for value in node.outputs
        if "edgec.quant" in value.meta and not value.meta["edgec.quant"].is_per_channel
    ]
    [output] = [value for value in model.graph.outputs if value.name == name]
    producer = output.producer()
    source = None if producer is None else producer.inputs[0]
    own = None if source is None else source.meta.get("edgec.quant")
    return own.scale[0] if own is not None else max(steps)


@pytest.fixture(params=list(GRAPHS))
def model(request: pytest.FixtureRequest) -> ir.Model:
    found = GRAPHS[request.param]()
    quantized(found, RoundWeights())
    return found


@pytest.mark.parametrize("options", [INT8, UINT8], ids=["int8", "uint8"])
def test_file_computes_what_the_annotations_mean(model: ir.Model, options: ExportOptions) -> None:
    """Numpy rounding node by node and ONNX Runtime without its optimiser: the same numbers."""
    feeds = feeds_for(model, batch=8)
    have = run_onnx(exporter.write(model, options), feeds)
    want = real_values(model, feeds)
    for name, array in have.items():
        np.testing.assert_array_equal(array, want[name])


@pytest.mark.parametrize("options", [INT8, UINT8], ids=["int8", "uint8"])
def test_optimised_runtime_is_within_a_step_or_two(model: ir.Model, options: ExportOptions) -> None:
    feeds = feeds_for(model, batch=8)
    have = run_onnx(exporter.write(model, options), feeds, optimize=True)
    want = real_values(model, feeds)
    for name, array in have.items():
        assert np.abs(array - want[name]).max() <= QUANTIZED_STEP * output_step(model, name)


def test_both_activation_types_give_the_same_real_numbers(model: ir.Model) -> None:
    feeds = feeds_for(model, batch=8)
    signed, unsigned = (run_onnx(exporter.write(model, o), feeds) for o in (INT8, UINT8))
    for name, array in signed.items():
        np.testing.assert_array_equal(array, unsigned[name])


def test_checker_accepts_the_file(model: ir.Model) -> None:
    for options in (INT8, UINT8, HALF):
        proto = onnx.load_from_string(exporter.write(model, options))
        onnx.checker.check_model(proto, full_check=True)
        assert {entry.domain for entry in proto.opset_import} == {""}
        assert {node.domain for node in proto.graph.node} == {""}


def test_interface_is_kept(model: ir.Model) -> None:
    copy = loaded(exporter.write(model, UINT8))
    assert interface_of(copy) == interface_of(model)


def test_bytes_are_the_same_every_time(model: ir.Model) -> None:
    first = exporter.write(model, UINT8)
    assert exporter.write(model, UINT8) == first
    assert exporter.write(model.clone(), UINT8) == first


def test_model_is_not_changed(model: ir.Model) -> None:
    before = lines_of(model), set(model.graph.initializers)
    exporter.write(model, UINT8)
    exporter.write(model, HALF)
    assert (lines_of(model), set(model.graph.initializers)) == before


def test_nothing_is_refused(model: ir.Model) -> None:
    assert exporter.check(model, UINT8) == []


def test_value_names_are_unique(model: ir.Model) -> None:
    proto = onnx.load_from_string(exporter.write(model, UINT8))
    made = [name for node in proto.graph.node for name in node.output]
    made += [tensor.name for tensor in proto.graph.initializer]
    assert len(made) == len(set(made))


def test_manifest_and_producer_are_in_the_file() -> None:
    options = dataclasses.replace(UINT8, manifest={"recipe": "int8", "source": "abc"})
    proto = onnx.load_from_string(exporter.write(GRAPHS["residual"](), options))
    assert {entry.key: entry.value for entry in proto.metadata_props} == options.manifest
    assert proto.producer_name == "edgec"


@pytest.mark.parametrize(
    ("options", "kind"), [(INT8, np.int8), (UINT8, np.uint8)], ids=["int8", "uint8"]
)
def test_storage_types_and_axes(options: ExportOptions, kind: type) -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    written = loaded(exporter.write(model, options))
    assert constant(written, "w0_integers").dtype == np.int8
    assert constant(written, "b0_integers").dtype == np.int32
    axes = {
        node.inputs[0].name: (  # type: ignore[union-attr]
            node.attributes.get_int("axis"),
            constant(written, node.inputs[1].name or "").shape,  # type: ignore[union-attr]
        )
        for node in written.graph
        if node.op_type == "DequantizeLinear" and node.inputs[0].is_initializer()  # type: ignore[union-attr]
    }
    assert axes["w0_integers"] == axes["b0_integers"] == (0, (6,))
    assert axes["w3_integers"] == (0, (10,))
    zero_points = {
        constant(written, node.inputs[2].name or "").dtype  # type: ignore[union-attr]
        for node in written.graph
        if node.op_type == "QuantizeLinear"
    }
    assert zero_points == {np.dtype(kind)}


def test_weights_are_stored_once_and_as_integers() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    written = loaded(exporter.write(model, UINT8))
    floats = [
        name
        for name, value in written.graph.initializers.items()
        if value.dtype == ir.DataType.FLOAT and not name.startswith("scale_")
    ]
    assert floats == []


def test_redundant_clamp_is_left_to_saturation() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    written = exporter.write(model, UINT8)
    assert "Relu" not in [node.op_type for node in loaded(written).graph]


def test_clamp_that_cuts_stays() -> None:
    model = graph_of(
        """g (float[N,4] x) => (float[N,4] y) {
            a = Gemm<transB=1>(x, w)
            b = Relu(a)
            c = Gemm<transB=1>(a, v)
            y = Add(b, c)
        }""",
        w=gaussian(4, 4),
        v=gaussian(4, 4, seed=1),
    )
    quantized(model)
    assert "Relu" in [node.op_type for node in loaded(exporter.write(model, UINT8)).graph]


def test_recurrent_weights_are_stored_as_integers() -> None:
    model = GRAPHS["gru"]()
    quantized(model)
    written = loaded(exporter.write(model, UINT8))
    assert constant(written, "w_integers").dtype == np.int8
    assert constant(written, "r_integers").dtype == np.int8


def test_names_that_the_exporter_would_choose_are_avoided() -> None:
    """A source may already call its values x_integers or y_raw."""
    model = graph_of(
        """g (float[N,4] x) => (float[N,4] a_raw, float[N,4] e) {
            a = Gemm<transB=1>(x, w)
            a_integers = Gemm<transB=1>(a, w_integers)
            a_restored = Add(a_integers, a)
            a_raw = Gemm<transB=1>(a_restored, w_restored)
            e = Exp(a_integers)
        }""",
        w=gaussian(4, 4, scale=0.3),
        w_integers=gaussian(4, 4, seed=1, scale=0.3),
        w_restored=gaussian(4, 4, seed=2, scale=0.3),
        scale_0=gaussian(3),
    )
    quantized(model)
    feeds = feeds_for(model)
    want = real_values(model, feeds)
    proto = onnx.load_from_string(exporter.write(model, UINT8))
    onnx.checker.check_model(proto, full_check=True)
    have = run_onnx(proto.SerializeToString(), feeds)
    for name, array in have.items():
        difference = np.abs(array - want[name]).max()
        assert difference <= QUANTIZED_STEP * output_step(model, name)


def test_float_graph_is_written_as_it_is() -> None:
    model = GRAPHS["residual"]()
    feeds = feeds_for(model)
    content = exporter.write(model, ExportOptions())
    assert lines_of(loaded(content)) == lines_of(model)
    np.testing.assert_array_equal(run_onnx(content, feeds)["y"], run_onnx(model, feeds)["y"])


def test_half_weights_halve_the_file_and_keep_the_answers() -> None:
    model = graph_of(
        "g (float[N,64] x) => (float[N,64] y) { y = Gemm<transB=1>(x, w, b) }",
        w=gaussian(64, 64),
        b=gaussian(64),
    )
    feeds = feeds_for(model)
    plain, half = exporter.write(model, ExportOptions()), exporter.write(model, HALF)
    assert constant(loaded(half), "w_fp16").dtype == np.float16
    assert len(half) < 0.55 * len(plain)
    want, have = run_onnx(plain, feeds)["y"], run_onnx(half, feeds)["y"]
    rounding = float(np.finfo(np.float16).eps) / 2
    reach = np.abs(feeds["x"]) @ np.abs(gaussian(64, 64)).T + np.abs(gaussian(64))
    slack = float32_network(layers=1, terms=64) * np.abs(want).max()
    assert np.all(np.abs(have - want) <= rounding * reach + slack)


def test_half_leaves_scales_and_small_constants_alone() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    options = dataclasses.replace(UINT8, float_weights=WeightType.FLOAT16)
    assert exporter.write(model, options) == exporter.write(model, UINT8)


@pytest.mark.parametrize("value", [65505.0, -1e6, 3e38])
def test_half_overflow_names_weight_and_reader(value: float) -> None:
    weight = gaussian(5, 5)
    weight[3, 2] = value
    model = graph_of("g (float[N,5] x) => (float[N,5] y) { y = MatMul(x, w) }", w=weight)
    with pytest.raises(EdgecError) as caught:
        exporter.write(model, HALF)
    assert caught.value.code is Code.FP16_OVERFLOW
    assert "'w'" in caught.value.what
    assert caught.value.where == "node 'n0' (MatMul)"


def test_largest_half_is_taken() -> None:
    weight = gaussian(5, 5)
    weight[3, 2] = 65504.0
    model = graph_of("g (float[N,5] x) => (float[N,5] y) { y = MatMul(x, w) }", w=weight)
    assert constant(loaded(exporter.write(model, HALF)), "w_fp16")[3, 2] == 65504.0


@pytest.mark.parametrize("options", [INT8, UINT8])
@pytest.mark.parametrize("kind", [IntegerType.INT8, IntegerType.UINT8])
def test_integer_inputs_and_outputs_are_fed_and_returned_as_integers(
    options: ExportOptions, kind: IntegerType
) -> None:
    model = graph_of("g (float[N,4] x) => (float[N,4] y) { y = Neg(x) }")
    [node] = model.graph
    taken = QuantParams.per_tensor(kind, 0.5, kind.low + 100)
    given = QuantParams.per_tensor(kind, 0.25, kind.low + 120)
    set_quant(model.graph.inputs[0], taken)
    set_quant(node.outputs[0], given)
    set_precision(node, Precision.INTEGER)
    integers = np.array([[kind.low, kind.low + 99, kind.low + 100, kind.high]], kind.numpy)
    [found] = run_onnx(exporter.write(model, options), {"x": integers}).values()
    assert found.dtype == kind.numpy
    np.testing.assert_array_equal(found, given.quantize(-taken.dequantize(integers)))
