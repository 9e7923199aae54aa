import onnx_ir as ir

from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    is_convert,
    origin_of,
    precision_of,
    quant_of,
    reason_of,
    set_precision,
    set_quant,
    stamp_origin,
)
from compressor.ir.quant import IntegerType, QuantParams

PARAMS = QuantParams.per_tensor(IntegerType.INT8, 0.5, 3)


def test_values_are_float_until_told_otherwise() -> None:
    value = ir.Value(name="v")
    assert quant_of(value) is None
    assert quant_of(None) is None
    set_quant(value, PARAMS)
    assert quant_of(value) is PARAMS
    set_quant(value, None)
    assert quant_of(value) is None
    set_quant(value, None)


def test_precision_and_its_reason() -> None:
    node = ir.node("Relu", [ir.Value(name="x")])
    assert (precision_of(node), reason_of(node)) == (Precision.FLOAT, "")
    set_precision(node, Precision.FLOAT, "kept")
    assert reason_of(node) == "kept"
    set_precision(node, Precision.INTEGER)
    assert (precision_of(node), reason_of(node)) == (Precision.INTEGER, "")


def test_origin_is_collected_once_and_in_order() -> None:
    first, second = (ir.node("Relu", [ir.Value()], name=name) for name in ("first", "second"))
    assert origin_of(first) == ("first",)
    assert origin_of(ir.node("Relu", [ir.Value()])) == ()
    stamp_origin(second, first, second, first)
    assert origin_of(second) == ("first", "second")
    third = ir.node("Relu", [ir.Value()], name="third")
    stamp_origin(third, second, first)
    assert origin_of(third) == ("first", "second")


def test_convert_is_known_by_name_and_domain() -> None:
    value = ir.Value(name="x")
    assert is_convert(ir.node(CONVERT, [value], domain=EDGEC_DOMAIN))
    assert not is_convert(ir.node(CONVERT, [value]))
    assert not is_convert(None)


def test_annotations_survive_a_copy_of_the_model() -> None:
    model = ir.from_onnx_text(
        '<ir_version: 10, opset_import: ["" : 21]> g (float[2] x) => (float[2] y) { y = Relu(x) }'
    )
    set_quant(model.graph[0].outputs[0], PARAMS)
    set_precision(model.graph[0], Precision.INTEGER, "why")
    copy = model.clone()
    assert quant_of(copy.graph[0].outputs[0]) == PARAMS
    assert (precision_of(copy.graph[0]), reason_of(copy.graph[0])) == (Precision.INTEGER, "why")
    set_quant(copy.graph[0].outputs[0], None)
    assert quant_of(model.graph[0].outputs[0]) == PARAMS
