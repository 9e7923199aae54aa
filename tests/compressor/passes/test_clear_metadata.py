import onnx_ir as ir

from compressor.ir.annotations import origin_of
from compressor.passes.clear_metadata import ClearMetadata
from tests.graphs import apply, assert_same, gaussian, graph_of, lines_of


def littered() -> ir.Model:
    """A model full of what torch's exporter writes: paths, stack traces, namespaces."""
    model = graph_of(
        "g (float[N,3] x) => (float[N,3] y) { a = Mul(x, w) y = Relu(a) }", w=gaussian(3)
    )
    secret = "/home/alice/secret/train.py"
    model.doc_string = model.graph.doc_string = secret
    model.metadata_props["path"] = model.graph.metadata_props["path"] = secret
    model.graph.name = secret
    for node in model.graph:
        node.doc_string = secret
        node.metadata_props["pkg.torch.onnx.stack_trace"] = secret
    values = [v for node in model.graph for v in (*node.inputs, *node.outputs) if v is not None]
    for value in values:
        value.doc_string = secret
        value.metadata_props["trace"] = secret
    return model


def test_nothing_of_the_author_remains() -> None:
    model = littered()
    before = model.clone()
    [changes] = apply(model, ClearMetadata())
    assert changes.counts == {"nodes cleared": 2}
    assert b"alice" not in ir.to_proto(model).SerializeToString()
    assert_same(before, model)


def test_it_is_clean_after_once() -> None:
    model = littered()
    _, again = apply(model, ClearMetadata(), ClearMetadata())
    assert not again.modified


def test_nodes_get_names_and_origins() -> None:
    model = littered()
    model.graph[0].name, model.graph[1].name = None, "activation"
    apply(model, ClearMetadata())
    assert [node.name for node in model.graph] == ["Mul_0", "activation"]
    assert [origin_of(node) for node in model.graph] == [("Mul_0",), ("activation",)]
    assert lines_of(model) == ["a = Mul(x, w)", "y = Relu(a)"]


def test_equal_names_are_told_apart() -> None:
    """Tables, reports and keep_float find nodes by name."""
    model = littered()
    model.graph[0].name = model.graph[1].name = "layer"
    apply(model, ClearMetadata())
    names = [node.name for node in model.graph]
    assert len(set(names)) == 2
    assert names[0] == "layer"


def test_made_up_names_keep_clear_of_given_ones() -> None:
    model = littered()
    model.graph[0].name, model.graph[1].name = None, "Mul_0"
    apply(model, ClearMetadata())
    assert [node.name for node in model.graph] == ["Mul_0_1", "Mul_0"]
