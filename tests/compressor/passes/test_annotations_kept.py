"""Graphs that are quantized already go through canonicalization: parameters and integers stay."""

import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    precision_of,
    quant_of,
    set_precision,
    set_quant,
)
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.canonicalize_linear import CanonicalizeLinear
from compressor.passes.canonicalize_pool import CanonicalizePool
from compressor.passes.eliminate_identity import EliminateIdentity
from compressor.passes.fold_constants import FoldConstants
from compressor.passes.fold_pad import FoldPad
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.remove_unused import RemoveUnused
from compressor.passes.simplify_reshape import SimplifyReshape
from compressor.passes.unshare_constants import UnshareConstants
from compressor.pipeline import CANONICALIZE, run_passes
from tests.graphs import apply, gaussian, graph_of, lines_of, node_of

FINE = QuantParams.per_tensor(IntegerType.INT8, 0.25, 3)
COARSE = QuantParams.per_tensor(IntegerType.INT8, 0.5, -128)


def integer(text: str, params: dict[str, QuantParams], **constants: np.ndarray) -> ir.Model:
    """Return the graph with *params* on the named values; nodes with annotated results integer."""
    model = graph_of(text, **constants)
    graph = model.graph
    values = [*graph.inputs, *graph.initializers.values(), *(v for n in graph for v in n.outputs)]
    for value in values:
        set_quant(value, params.get(value.name or ""))
    for node in graph:
        if node.op_type == CONVERT:
            node.domain = EDGEC_DOMAIN
        elif any(quant_of(value) for value in node.outputs):
            set_precision(node, Precision.INTEGER)
    return model


def annotations(model: ir.Model) -> dict[str, QuantParams | None]:
    return {v.name or "": quant_of(v) for node in model.graph for v in node.outputs}


def test_reshapes_stay_integer() -> None:
    model = integer(
        "g (float[1,4,2] x) => (float[8] y) { a = Flatten<axis=1>(x) y = Reshape(a, s) }",
        {"x": FINE, "a": FINE, "y": FINE},
        s=np.array([8]),
    )
    apply(model, SimplifyReshape(), RemoveUnused())
    assert lines_of(model) == ["y = Reshape(x, s)"]
    assert annotations(model) == {"y": FINE}
    assert precision_of(model.graph[0]) is Precision.INTEGER


def test_identities_between_equal_scales_go_and_their_readers_stay_integer() -> None:
    model = integer(
        "g (float[1,4] x) => (float[1,4] y) { a = Neg(x) b = Reshape(a, s) y = Neg(b) }",
        {"x": FINE, "a": COARSE, "b": COARSE, "y": FINE},
        s=np.array([1, 4]),
    )
    apply(model, EliminateIdentity())
    assert [node.op_type for node in model.graph] == ["Neg", "Neg"]
    assert annotations(model) == {"a": COARSE, "y": FINE}


def test_an_identity_to_another_scale_is_none() -> None:
    model = integer("g (float[4] x) => (float[4] y) { y = Identity(x) }", {"x": FINE, "y": COARSE})
    apply(model, EliminateIdentity())
    assert lines_of(model) == ["y = Identity(x)"]


def test_conversions_of_one_value_to_two_scales_are_not_merged() -> None:
    model = integer(
        "g (float[4] x) => (float[4] y, float[4] z) { y = Relu(x) z = Relu(x) }",
        {"x": FINE, "y": FINE, "z": COARSE},
    )
    apply(model, RemoveUnused())
    assert annotations(model) == {"y": FINE, "z": COARSE}
    assert all(not node.attributes for node in model.graph)


def test_copies_of_shared_weights_carry_the_parameters() -> None:
    scales = QuantParams.per_channel(IntegerType.INT8, [0.1, 0.2], 0)
    model = integer(
        "g (float[1,2] x) => (float[1,2] y) { a = Gemm<transB=1>(x, w) y = Gemm<transB=1>(a, w) }",
        {"x": FINE, "a": COARSE, "y": FINE, "w": scales},
        w=gaussian(2, 2),
    )
    apply(model, UnshareConstants())
    weights = [node.inputs[1] for node in model.graph]
    assert weights[0] is not weights[1]
    assert [quant_of(weight) for weight in weights] == [scales, scales]


def test_integer_means_become_global_and_integer_averages_stay() -> None:
    model = integer(
        """g (float[1,4,2,2] x) => (float[1,4] y, float[1,4,1,1] z) {
            y = ReduceMean<keepdims=0>(x, axes)
            z = AveragePool<kernel_shape=[2,2]>(x)
        }""",
        {"x": FINE, "y": COARSE, "z": FINE},
        axes=np.array([2, 3]),
    )
    apply(model, CanonicalizePool())
    pool = node_of(model, "GlobalAveragePool")
    assert quant_of(pool.outputs[0]) == quant_of(node_of(model, "Reshape").outputs[0]) == COARSE
    assert node_of(model, "AveragePool")
    assert {precision_of(node) for node in model.graph} == {Precision.INTEGER}


def test_pads_fold_into_integer_convolutions() -> None:
    model = integer(
        """g (float[1,2,4,4] x) => (float[1,2,4,4] y) {
            p = Pad(x, pads)
            y = Conv(p, w)
        }""",
        {"x": FINE, "p": FINE, "y": COARSE, "w": FINE},
        w=gaussian(2, 2, 3, 3),
        pads=np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    )
    apply(model, FoldPad())
    assert lines_of(model) == ["y = Conv[auto_pad=NOTSET, pads=[1, 1, 1, 1]](x, w)"]
    assert annotations(model) == {"y": COARSE}


def test_integer_products_are_left_as_they_are() -> None:
    text = """g (float[1,2] x) => (float[1,2] y) {
        a = MatMul(x, w)
        y = Add(a, b)
    }"""
    params = {"x": FINE, "a": COARSE, "y": FINE, "w": FINE, "b": FINE}
    model = integer(text, params, w=gaussian(2, 2), b=gaussian(2))
    before = lines_of(model)
    apply(model, CanonicalizeLinear())
    assert lines_of(model) == before


def test_integer_nodes_of_constants_are_not_folded() -> None:
    model = integer(
        "g (float[2] x) => (float[2] y) { a = Relu(c) y = Add(x, a) }",
        {"x": FINE, "a": FINE, "y": FINE, "c": COARSE},
        c=gaussian(2),
    )
    apply(model, FoldConstants())
    assert [node.op_type for node in model.graph] == ["Relu", "Add"]


def test_shapes_are_inferred_through_conversions() -> None:
    model = integer(
        "g (float[N,4] x) => (float[M,K] y) { a = Convert(x) b = Relu(a) y = Convert(b) }",
        {"a": FINE, "b": FINE},
    )
    apply(model, InferShapes())
    assert [str(node.outputs[0].shape) for node in model.graph][:2] == ["[N,4]", "[N,4]"]
    assert model.graph[0].domain == EDGEC_DOMAIN


@pytest.mark.parametrize("name", ["x", "a", "y"])
def test_the_whole_canonicalization_keeps(name: str) -> None:
    params = {"x": FINE, "a": COARSE, "y": FINE}
    model = integer("g (float[N,4] x) => (float[N,4] y) { a = Relu(x) y = Relu(a) }", params)
    interface = interface_of(model)
    run_passes(model, CANONICALIZE, interface=interface)
    assert interface_of(model) == interface
    found = {
        v.name: quant_of(v) for v in (*model.graph.inputs, *(n.outputs[0] for n in model.graph))
    }
    assert found[name] == params[name]
