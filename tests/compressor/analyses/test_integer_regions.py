from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.integer_regions import integer_regions
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of
from tests.quantized import GRAPHS


def split(model: ir.Model, keep_float: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return what becomes of each node, by its first output."""
    InferShapes().run(model, PassContext())
    regions = integer_regions(model.graph, keep_float)
    answers = {}
    for node in model.graph:
        answer = "integer" if node in regions.integer else regions.reasons.get(node, "?")
        if node in regions.weight_only:
            answer = f"weight-only: {answer}"
        answers[node.outputs[0].name or ""] = answer
    return answers


READS_FLOAT = "reads a value that is float"
BETWEEN = "lies between a layer and what reads it in float"
SUM = "a sum that a normalization reads loses too much in 8 bits"


def test_residual_network_is_integer_throughout() -> None:
    answers = split(GRAPHS["residual"]())
    assert set(answers.values()) == {"integer"}


def test_squeeze_and_excitation_is_integer_with_its_gate() -> None:
    answers = split(GRAPHS["squeeze_excite"]())
    assert set(answers.values()) == {"integer"}


def test_transformer_keeps_residual_sums_and_attention_in_float() -> None:
    answers = split(GRAPHS["transformer"]())
    integer = {name for name, answer in answers.items() if answer == "integer"}
    assert integer == {"norm_rows", "q", "k", "v", "o", "up", "act", "down"}
    assert answers["q4"] == answers["vt"] == answers["o3"] == BETWEEN
    assert answers["sum1"] == answers["y"] == SUM
    assert answers["scores"] == answers["context"] == "MatMul computes in float"
    assert answers["weights"] == "Softmax computes in float"


def test_recurrence_is_weight_only() -> None:
    answers = split(GRAPHS["gru"]())
    reason = "recurrent state stays float; its weights are stored as integers"
    assert answers["all"] == f"weight-only: {reason}"
    assert answers["y"] == "integer"


def small(body: str, **constants: np.ndarray) -> ir.Model:
    return graph_of(
        f"g (float[N,4,6,6] x) => (float y) {{ {body} }}",
        w=gaussian(4, 4, 3, 3),
        v=gaussian(4, 4, 1, 1),
        m=gaussian(6, 6),
        c=gaussian(4, 1, 1),
        t=np.array([-1, 36]),
        **constants,
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("y = Relu(x)", {"y": "no integer node is next to it"}),
        ("a = Mul(x, c) y = Conv(a, w)", {"a": "integer", "y": "integer"}),
        ("a = Conv(x, w) y = Exp(a)", {"a": "integer", "y": "Exp computes in float"}),
        (
            "a = Conv(x, w) b = Exp(a) y = Relu(b)",
            {"a": "integer", "b": "Exp computes in float", "y": READS_FLOAT},
        ),
        (
            "a = Conv(x, w) b = Exp(a) d = Relu(b) y = Conv(d, v)",
            {"a": "integer", "b": "Exp computes in float", "d": READS_FLOAT, "y": "integer"},
        ),
        ("a = Conv(x, w) y = Sigmoid(a)", {"a": "integer", "y": "its result is read in float"}),
        (
            "a = Conv(x, w) b = Sigmoid(a) y = Softmax(b)",
            {"b": "its result is read in float", "y": "Softmax computes in float"},
        ),
        ("a = Conv(x, w) b = Sigmoid(a) y = Mul(a, b)", {"b": "integer", "y": "integer"}),
        ("y = MatMul(x, x)", {"y": "MatMul computes in float"}),
        ("y = MatMul(x, m)", {"y": "integer"}),
        ("a = Shape(x) y = Cast<to=1>(a)", {"a": "Shape computes in float"}),
        ("y = Conv(x, x)", {"y": "Conv computes in float"}),
    ],
)
def test_small_graphs(body: str, expected: dict[str, str]) -> None:
    answers = split(small(body))
    assert {name: answers[name] for name in expected} == expected


def test_keep_float_is_honoured_and_named() -> None:
    model = small("a = Conv(x, w) b = Relu(a) y = Conv(b, v)")
    answers = split(model, frozenset({"n0"}))
    assert answers == {"a": "kept in float on request", "b": READS_FLOAT, "y": "integer"}


def test_recurrence_that_is_kept_float() -> None:
    answers = split(GRAPHS["gru"](), frozenset({"n0"}))
    assert answers["all"] == "kept in float on request"


@pytest.mark.parametrize(
    "gemm",
    [
        "Gemm<transA=1>(x, w)",
        "Gemm<alpha=0.5>(x, w)",
        "Gemm<beta=0.5>(x, w, b)",
        "Gemm(x, w, fed)",
        "Gemm(x, w, square)",
    ],
)
def test_gemm_that_has_no_canonical_form_stays_float(gemm: str) -> None:
    """Its bias could not be added at s_in * s_w, or its rows are not what moments look at."""
    model = graph_of(
        f"g (float[5,5] x, float[5] fed) => (float[5,5] y) {{ y = {gemm} }}",
        w=gaussian(5, 5),
        b=gaussian(5),
        square=gaussian(5, 5),
    )
    assert split(model) == {"y": "it is not a plain product with a weight and a bias"}


def test_convolution_with_a_computed_bias_stays_float() -> None:
    model = graph_of(
        "g (float[N,4,6,6] x, float[4] fed) => (float y) { y = Conv(x, w, fed) }",
        w=gaussian(4, 4, 3, 3),
    )
    assert split(model) == {"y": "it is not a plain product with a weight and a bias"}


def test_every_node_is_integer_or_has_a_reason() -> None:
    for make in GRAPHS.values():
        assert all(answer not in ("", "?") for answer in split(make()).values())


def test_real_models_are_integer_where_it_counts(shared_data: Path) -> None:
    """All convolutions and products of a keyword spotter."""
    from compressor.source import read_source

    model = read_source(str(shared_data / "models/mlperf_dscnn_kws/model.onnx")).model
    regions = integer_regions(model.graph)
    products = [node for node in model.graph if node.op_type in ("Conv", "Gemm")]
    assert products
    assert set(products) <= regions.integer
