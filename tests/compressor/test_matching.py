from compressor.exposure import Tensor
from compressor.matching import pairs


def tensor(name: str, op_type: str = "Conv", node: str = "", clamped: str = "") -> Tensor:
    return Tensor(name=name, op_type=op_type, node=node, clamped=clamped)


def test_names_match_without_what_storing_appends() -> None:
    ours = [tensor("a"), tensor("b"), tensor("c")]
    known = {"a_raw", "b_quantized_integers", "d"}
    assert [(t.name, other) for t, other in pairs(ours, (), known)] == [
        ("a", "a_raw"),
        ("b", "b_quantized_integers"),
    ]


def test_a_clamp_that_is_folded_is_compared_behind_it() -> None:
    ours = [tensor("a", clamped="r"), tensor("r", "Relu")]
    assert [(t.name, other) for t, other in pairs(ours, (), {"a"})] == [("r", "a")]
    assert [t.name for t, _ in pairs(ours, (), {"a", "r"})] == ["a", "r"]
    assert [t.name for t, _ in pairs(ours, (), {"r"})] == ["r"]


def test_nodes_match_where_names_do_not() -> None:
    ours = [tensor("a", node="conv1"), tensor("b", "Reshape", node="reshape1")]
    theirs = [tensor("x", node="conv1"), tensor("y", "Reshape", node="reshape1")]
    assert [(t.name, other) for t, other in pairs(ours, theirs, {"x", "y"})] == [("a", "x")]
