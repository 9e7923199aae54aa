"""Text and packed graphs read back to the very graph, annotations included."""

from pathlib import Path

import numpy as np
import onnx.parser
import onnx_ir as ir
import pytest

from compressor.ir.annotations import (
    Precision,
    origin_of,
    precision_of,
    reason_of,
    set_precision,
    set_quant,
    stamp_origin,
)
from compressor.ir.fingerprint import fingerprint
from compressor.ir.interface import interface_of
from compressor.ir.packing import KEY, pack, unpack
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.text import digest_of, from_text, to_text
from compressor.ledger import LedgerEntry
from compressor.source import read_source

TEXT = """
<ir_version: 10, opset_import: ["" : 21]>
odd (float[N,3] "in/x:0") => (float[N,3] y)
<float[3] w = {0.1, 2, 3e-30}, float[3,3] k = {1,2,3,4,5,6,7,8,0.1}>
{
  ["node/a"] h = LeakyRelu <alpha: float = 0.0123456789> ("in/x:0")
  ["b"] m = MatMul (h, k)
  ["c"] y = Add (m, w)
}
"""


def constants_of(model: ir.Model) -> dict[str, np.ndarray]:
    arrays = (v.const_value.numpy() for v in model.graph.initializers.values() if v.const_value)
    return {digest_of(array): array for array in arrays}


@pytest.fixture
def annotated() -> ir.Model:
    model = ir.from_onnx_text(TEXT)
    first, second, third = model.graph
    set_quant(model.graph.inputs[0], QuantParams.per_tensor(IntegerType.UINT8, 0.1, 3))
    scales = np.float32([0.1, 0.2, 0.3])
    set_quant(model.graph.initializers["k"], QuantParams.per_channel(IntegerType.INT8, scales, 1))
    set_quant(second.outputs[0], QuantParams.per_tensor(IntegerType.INT16, 1 / 3, 0))
    set_precision(first, Precision.FLOAT, "its range is open")
    set_precision(second, Precision.INTEGER)
    stamp_origin(third, first, second)
    return model


def test_packing_keeps_everything(annotated: ir.Model) -> None:
    found = unpack(pack(annotated))
    assert fingerprint(found) == fingerprint(annotated)
    for before, after in zip(annotated.graph, found.graph, strict=True):
        assert precision_of(after) is precision_of(before)
        assert reason_of(after) == reason_of(before)
        assert origin_of(after) == origin_of(before)
    assert KEY not in found.metadata_props


def test_a_graph_without_annotations_is_unpacked_as_it_is() -> None:
    model = ir.from_onnx_text(TEXT)
    assert fingerprint(unpack(ir.to_proto(model))) == fingerprint(model)


def test_text_reads_back(annotated: ir.Model) -> None:
    text = to_text(annotated)
    found = from_text(text, constants_of(annotated))
    assert fingerprint(found) == fingerprint(annotated)
    assert to_text(found) == text


def test_large_constants_are_references(annotated: ir.Model) -> None:
    text = to_text(annotated, annotated=False)
    assert "sha256:" in text
    assert KEY not in text
    with pytest.raises(KeyError):
        from_text(text, {})
    with pytest.raises(onnx.parser.ParseError):
        from_text(text.replace("MatMul", "("), constants_of(annotated))


@pytest.mark.parametrize("name", ["residual_cnn", "mobilenet", "vit", "gru"])
def test_the_graph_after_every_pass_reads_back(repository: Path, name: str) -> None:
    seen = []

    def check(entry: LedgerEntry, graph: ir.Model) -> None:
        found = from_text(to_text(graph), constants_of(graph))
        assert to_text(found) == to_text(graph), entry.name
        assert interface_of(found) == interface_of(graph)
        seen.append(entry.name)

    read_source(str(repository / "models" / name / "model.onnx"), observe=check)
    assert len(seen) > 20
