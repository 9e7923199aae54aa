from collections.abc import Callable
from dataclasses import dataclass

import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.interface import interface_of
from compressor.ledger import LedgerEntry
from compressor.passes.protocol import Changes, PassContext, pass_name
from compressor.pipeline import CANONICALIZE, run_passes
from tests.graphs import assert_same, gaussian, graph_of, lines_of


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A pass of the test's own making."""

    action: Callable[[ir.Model], None]

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        self.action(model)
        return Changes(counts={"edits": 1})


def canonicalize(model: ir.Model) -> list[LedgerEntry]:
    return run_passes(model, CANONICALIZE, interface=interface_of(model))


def small() -> ir.Model:
    return graph_of(
        "g (float[N,3] x) => (float[N,3] y) { a = Mul(x, w) y = Relu(a) }", w=gaussian(3)
    )


def test_order_is_kept_and_each_pass_has_one_entry() -> None:
    seen: list[LedgerEntry] = []
    model = small()
    entries = run_passes(
        model,
        CANONICALIZE,
        interface=interface_of(model),
        observe=lambda entry, _: seen.append(entry),
    )
    assert [entry.name for entry in entries] == [pass_name(step) for step in CANONICALIZE]
    assert seen == entries


def test_quality_is_judged_after_each_pass() -> None:
    model = small()
    entries = run_passes(
        model,
        CANONICALIZE[:3],
        interface=interface_of(model),
        evaluate=lambda m: float(m.graph.num_nodes()),
    )
    assert [entry.quality for entry in entries] == [2.0, 2.0, 2.0]


def test_broken_graph_is_blamed_on_its_pass() -> None:
    def rename(model: ir.Model) -> None:
        model.graph.outputs[0].name = "other"

    model = small()
    with pytest.raises(EdgecError) as caught:
        run_passes(model, [Edit(action=rename)], interface=interface_of(model))
    assert caught.value.code is Code.PASS_BROKE_GRAPH
    assert "after edit" in caught.value.what


def test_canonical_form_is_a_fixed_point() -> None:
    model = graph_of(
        """g (float[N,3,8,8] x) => (float[N,5] y) {
            p = Pad(x, pads)
            c = Conv(p, w)
            n = BatchNormalization(c, s, s, s, v)
            d = Dropout(n)
            r = Relu(d)
            m = ReduceMean<axes=[2,3], keepdims=0>(r)
            f = MatMul(m, k)
            y = Add(f, b)
        }""",
        opset=13,
        pads=[0, 0, 1, 1, 0, 0, 1, 1],
        w=gaussian(4, 3, 3, 3),
        s=gaussian(4),
        v=abs(gaussian(4)) + 1,
        k=gaussian(4, 5),
        b=gaussian(5),
    )
    before = model.clone()
    canonicalize(model)
    assert lines_of(model) == [
        "c = Conv[auto_pad=NOTSET, pads=[1, 1, 1, 1]](x, w_folded, w_bias)",
        "r = Relu(c)",
        "m_keepdims = GlobalAveragePool(r)",
        "m = Reshape(m_keepdims, m_shape)",
        "y = Gemm[transB=1](m, k_linear, f_bias)",
    ]
    assert_same(before, model, terms=64)
    once = lines_of(model)
    again = canonicalize(model)
    assert lines_of(model) == once
    assert [entry.name for entry in again if entry.changes.modified] == []


FUNCTIONS = """<ir_version: 10, opset_import: ["" : 21, "local" : 1]>
g (float[N,3] x) => (float[N,3] y) { a = local.twice(x) b = local.twice(a) y = Neg(b) }
<domain: "local", opset_import: ["" : 21]>
twice (x) => (y) { y = Add(x, x) }
"""


def test_inlined_nodes_have_names_of_their_own_and_no_metadata() -> None:
    model = ir.from_onnx_text(FUNCTIONS)
    [function] = model.functions.values()
    for node in function:
        node.name, node.doc_string = "add", "/home/alice/train.py"
        node.metadata_props["trace"] = "/home/alice/train.py"
    canonicalize(model)
    names = [node.name for node in model.graph]
    assert len(set(names)) == len(names) == 3
    assert b"alice" not in ir.to_proto(model).SerializeToString()
