"""Over random networks: canonical form computes the same, INT8 means the same everywhere."""

import numpy as np
import onnx_ir as ir
from hypothesis import given

from compressor.ir.annotations import Precision, is_convert, precision_of, quant_of
from compressor.ir.fingerprint import fingerprint
from compressor.ir.interface import interface_of
from compressor.ir.op_facts import Role, facts_of
from compressor.passes.round_weights import RoundWeights
from compressor.pipeline import CANONICALIZE, run_passes
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import assert_same, feeds_for, lines_of, run_onnx
from tests.property.random_networks import networks
from tests.quantized import quantized, real_values


def canonical(model: ir.Model) -> ir.Model:
    run_passes(model, CANONICALIZE, interface=interface_of(model))
    return model


@given(networks())
def test_canonical_form_computes_the_same(model: ir.Model) -> None:
    before = model.clone()
    canonical(model)
    assert_same(before, model, terms=512, layers=24)


@given(networks())
def test_canonical_form_is_a_fixed_point(model: ir.Model) -> None:
    canonical(model)
    once = lines_of(model), fingerprint(model)
    canonical(model)
    assert (lines_of(model), fingerprint(model)) == once


@given(networks())
def test_canonical_form_has_no_batch_normalization_and_one_kind_of_linear_layer(
    model: ir.Model,
) -> None:
    canonical(model)
    for node in model.graph:
        assert node.op_type not in {"BatchNormalization", "Identity", "Dropout", "MatMul"}
        if node.op_type == "Gemm":
            assert node.attributes.get_int("transB") == 1
    names = [node.name for node in model.graph]
    assert len(set(names)) == len(names)


@given(networks())
def test_runtime_computes_what_the_annotations_mean(model: ir.Model) -> None:
    """Numpy rounding node by node and ONNX Runtime without its optimiser: the same numbers."""
    canonical(model)
    quantized(model, RoundWeights())
    feeds = feeds_for(model)
    have = run_onnx(exporter.write(model, ExportOptions()), feeds)["y"]
    np.testing.assert_array_equal(have, real_values(model, feeds)["y"])


@given(networks())
def test_every_product_is_integer_and_has_integer_constants(model: ir.Model) -> None:
    canonical(model)
    quantized(model)
    for node in model.graph:
        if facts_of(node).role is Role.COMPUTE:
            assert precision_of(node) is Precision.INTEGER
            constants = [v for v in node.inputs if v is not None and v.const_value is not None]
            assert all(quant_of(value) is not None for value in constants)


@given(networks())
def test_conversions_are_not_redundant(model: ir.Model) -> None:
    """Never two of one value to one representation, never there and back again."""
    canonical(model)
    quantized(model)
    made = set()
    for node in model.graph:
        if is_convert(node):
            source = node.inputs[0]
            assert source is not None
            key = (source.name, quant_of(node.outputs[0]))
            assert key not in made
            made.add(key)
            assert not is_convert(source.producer())
