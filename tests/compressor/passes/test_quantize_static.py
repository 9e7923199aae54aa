import dataclasses

import numpy as np
import onnx_ir as ir
import pytest

from compressor.calibration.table import CalibrationTable, Histogram, TensorStatistics
from compressor.errors import Code, EdgecError
from compressor.ir.annotations import Precision, is_convert, precision_of, quant_of, reason_of
from compressor.ir.interface import interface_of
from compressor.ir.op_facts import FACTS
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.protocol import PassContext
from compressor.passes.quantize_static import QuantizeStatic, calibration_targets
from compressor.quantizers.affine import params_of_range, weight_params
from tests.graphs import apply, constant, feeds_for, gaussian, graph_of, lines_of, run_onnx
from tests.quantized import GRAPHS, calibrated, quantized, real_values
from tests.tolerances import LEAST_SQNR_DB


def value_of(model: ir.Model, name: str) -> ir.Value:
    values = {value.name: value for node in model.graph for value in node.outputs}
    values.update({value.name: value for value in model.graph.inputs})
    values.update(model.graph.initializers)
    return values[name]


def params_of(model: ir.Model, name: str) -> QuantParams:
    params = quant_of(value_of(model, name))
    assert params is not None
    return params


def converts(model: ir.Model) -> list[str]:
    return [
        line for line, node in zip(lines_of(model), model.graph, strict=True) if is_convert(node)
    ]


EXPECTED_CONVERTS = {
    "residual": [
        "x_quantized = Convert(x)",
        "y = Convert(y_quantized)",
    ],
    "squeeze_excite": [
        "x_quantized = Convert(x)",
        "y = Convert(y_quantized)",
    ],
    "concat": [
        "x_quantized = Convert(x)",
        "br_quantized = Convert(br)",
        "j_quantized = Convert(j)",
        "y = Convert(y_quantized)",
    ],
    "transformer": [
        "x_quantized = Convert(x)",
        "flat_quantized = Convert(flat)",
        "mlp_rows_quantized = Convert(mlp_rows)",
    ],
    "gru": [
        "last_quantized = Convert(last)",
    ],
}


@pytest.mark.parametrize("name", GRAPHS)
def test_conversions_are_where_representations_change_and_nowhere_else(name: str) -> None:
    model = GRAPHS[name]()
    before = interface_of(model)
    [changes] = quantized(model)
    assert sorted(converts(model)) == sorted(EXPECTED_CONVERTS[name])
    assert changes.counts["conversions placed"] == len(EXPECTED_CONVERTS[name])
    assert [spec.name for spec in interface_of(model).outputs] == [s.name for s in before.outputs]


@pytest.mark.parametrize("name", GRAPHS)
def test_at_most_one_conversion_for_each_value_and_representation(name: str) -> None:
    model = GRAPHS[name]()
    quantized(model)
    made = [
        (node.inputs[0].name, quant_of(node.outputs[0]))  # type: ignore[union-attr]
        for node in model.graph
        if is_convert(node)
    ]
    assert len(made) == len(set(made))


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("method", ["minmax", "mse", "percentile"])
def test_meaning_stays_close_to_the_float_model(name: str, method: str) -> None:
    """The annotated graph, computed by numpy rounding, answers like the float graph."""
    model = GRAPHS[name]()
    source = model.clone()
    quantized(model, range_method=method)
    feeds = feeds_for(source, batch=16)
    expected = run_onnx(source, feeds)
    values = real_values(model, feeds)
    for output, want in expected.items():
        noise = float(np.square(values[output] - want).mean() / np.square(want).mean())
        assert 10 * np.log10(1 / noise) > LEAST_SQNR_DB, output


def test_activation_parameters_follow_from_what_was_observed() -> None:
    model = GRAPHS["residual"]()
    table = calibrated(model.clone())
    quantized(model)
    for member, voter in (("x_quantized", "x"), ("stem", "r0"), ("r0", "r0"), ("c2", "c2")):
        seen = table.of(voter)
        assert params_of(model, member) == params_of_range(seen.low, seen.high, IntegerType.INT8)
    assert params_of(model, "p") == params_of(model, "f")


def test_weights_per_channel_and_bias_at_the_product_of_scales() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    assert params_of(model, "w0") == weight_params(constant(model, "w0"), 0)
    activation, weight, bias = (params_of(model, n) for n in ("x_quantized", "w0", "b0"))
    assert bias.dtype is IntegerType.INT32
    np.testing.assert_array_equal(
        bias.scale_array(), np.float32(activation.scale[0]) * weight.scale_array()
    )


def test_gate_has_its_prescribed_parameters() -> None:
    model = GRAPHS["squeeze_excite"]()
    quantized(model)
    assert params_of(model, "g") == FACTS["Sigmoid"].output


def test_recurrent_weights_are_integer_and_the_rest_of_it_float() -> None:
    model = GRAPHS["gru"]()
    [changes] = quantized(model)
    recurrent = model.graph[0]
    assert precision_of(recurrent) is Precision.WEIGHT_ONLY
    assert changes.counts["nodes with integer weights"] == 1
    weights = [params_of(model, name) for name in ("w", "r")]
    assert all((p.dtype, p.axis, len(p.scale)) == (IntegerType.INT8, 1, 15) for p in weights)
    assert quant_of(value_of(model, "b")) is None
    assert quant_of(value_of(model, "all")) is None


def test_float_nodes_carry_their_reason() -> None:
    model = GRAPHS["transformer"]()
    [changes] = quantized(model)
    reasons = {node.outputs[0].name: reason_of(node) for node in model.graph}
    assert reasons["sum1"] == "a sum that a normalization reads loses too much in 8 bits"
    assert reasons["weights"] == "Softmax computes in float"
    assert {skip.reason for skip in changes.skipped} >= {reasons["sum1"], reasons["weights"]}
    assert reasons["q"] == ""


def test_keep_float() -> None:
    model = GRAPHS["residual"]()
    quantized(model, keep_float=["n4"])
    kept = next(node for node in model.graph if node.name == "n4")
    assert (precision_of(kept), reason_of(kept)) == (Precision.FLOAT, "kept in float on request")
    assert all(quant_of(value) is None for value in (*kept.inputs, *kept.outputs))
    assert "r1_float = Convert(r1)" in converts(model)


def test_output_that_is_also_read_inside() -> None:
    model = graph_of(
        """g (float[N,4] x) => (float[N,4] y, float[N,4] z, float[N,4] e) {
            y = Gemm<transB=1>(x, w)
            z = Gemm<transB=1>(y, v)
            e = Exp(y)
        }""",
        w=gaussian(4, 4),
        v=gaussian(4, 4, seed=1),
    )
    quantized(model)
    assert lines_of(model) == [
        "x_quantized = Convert(x)",
        "y_quantized = Gemm[transB=1](x_quantized, w)",
        "y = Convert(y_quantized)",
        "z_quantized = Gemm[transB=1](y_quantized, v)",
        "z = Convert(z_quantized)",
        "e = Exp(y)",
    ]


def test_scalar_shared_by_an_integer_and_a_float_node_keeps_both_meanings() -> None:
    """Six bounds a Clip and multiplies in integers; the bound must stay a plain constant."""
    model = graph_of(
        """g (float[N,4] x) => (float[N,4] y) {
            a = Gemm<transB=1>(x, w)
            b = Mul(a, six)
            c = Clip(b, zero, six)
            d = Gemm<transB=1>(c, v)
            e = Exp(d)
            y = Mul(e, six)
        }""",
        w=gaussian(4, 4, scale=0.1),
        v=gaussian(4, 4, seed=1, scale=0.1),
        zero=np.float32(0),
        six=np.float32(6),
    )
    quantized(model)
    multiply = next(node for node in model.graph if node.name == "n1")
    clip = next(node for node in model.graph if node.op_type == "Clip")
    outside = next(node for node in model.graph if node.name == "n5")
    assert quant_of(multiply.inputs[1]) is not None
    assert quant_of(clip.inputs[2]) is None
    assert quant_of(outside.inputs[1]) is None


def test_concat_constant_takes_the_scale_of_the_result() -> None:
    model = graph_of(
        """g (float[1,2,4,4] x) => (float[1,4,4,4] y) {
            a = Conv(x, w)
            b = Concat<axis=1>(a, c)
            y = Conv(b, v)
        }""",
        w=gaussian(2, 2, 1, 1),
        c=gaussian(1, 2, 4, 4),
        v=gaussian(4, 4, 1, 1),
    )
    quantized(model)
    assert params_of(model, "c") == params_of(model, "b")


@pytest.mark.parametrize("table", [None, CalibrationTable(fingerprint="x", samples=0, tensors={})])
def test_table_of_another_graph_is_refused(table: CalibrationTable | None) -> None:
    with pytest.raises(EdgecError) as caught:
        apply(GRAPHS["residual"](), QuantizeStatic(), context=PassContext(table=table))
    assert caught.value.code is Code.CALIBRATION_MISMATCH


def test_missing_tensor_is_refused() -> None:
    model = GRAPHS["residual"]()
    table = calibrated(model)
    tensors = {name: seen for name, seen in table.tensors.items() if name != "r0"}
    partial = CalibrationTable(fingerprint=table.fingerprint, samples=1, tensors=tensors)
    with pytest.raises(EdgecError) as caught:
        apply(model, QuantizeStatic(), context=PassContext(table=partial))
    assert caught.value.code is Code.CALIBRATION_MISMATCH
    assert "'r0'" in caught.value.what


def test_targets_are_what_votes() -> None:
    model = GRAPHS["residual"]()
    apply(model)
    assert sorted(calibration_targets(model)) == ["c2", "f", "p", "r0", "r1", "r2", "x", "y"]


def test_float_model_stays_float() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Exp(x) }")
    [changes] = quantized(model)
    assert changes.counts["nodes integer"] == 0
    assert lines_of(model) == ["y = Exp(x)"]


@pytest.mark.parametrize(
    ("body", "clips"),
    [
        ("y = Gemm<transB=1>(x, w)", False),
        ("a = Gemm<transB=1>(x, w) y = Gemm<transB=1>(a, w)", True),
    ],
)
def test_products_between_floats_keep_rare_large_values(body: str, clips: bool) -> None:
    """The MSE method clips what one value in a million reaches, but not where transformers read."""
    text = f"g (float[N,8] x) => (float[N,8] y) {{ {body} }}"
    model = graph_of(text, w=gaussian(8, 8))
    table = calibrated(model)
    counts = np.zeros(2048, np.int64)
    counts[0], counts[512:1024], counts[-1] = 1, 10**6 // 512, 1
    histogram = Histogram(low=-10.0, high=10.0, counts=counts)
    rare = TensorStatistics(low=-10.0, high=10.0, histogram=histogram)
    table = dataclasses.replace(table, tensors={**table.tensors, "x": rare})
    apply(model, QuantizeStatic(range_method="mse"), context=PassContext(table=table))
    params = quant_of(model.graph[0].outputs[0])
    assert params is not None
    assert (params.range()[0] > -10 * 0.9) == clips
