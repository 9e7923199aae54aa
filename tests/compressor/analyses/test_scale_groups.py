import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.integer_regions import integer_regions
from compressor.analyses.scale_groups import ScaleGroup, observed_names, scale_groups
from compressor.ir.op_facts import FACTS
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of
from tests.quantized import GRAPHS


def groups_of(model: ir.Model) -> list[ScaleGroup]:
    InferShapes().run(model, PassContext())
    return scale_groups(model.graph, integer_regions(model.graph))


def written(groups: list[ScaleGroup]) -> set[str]:
    """Return each group as its members, those that vote in front of the bar."""
    return {
        " ".join(sorted(group.voters))
        + " | "
        + " ".join(sorted(set(group.members) - set(group.voters)))
        for group in groups
    }


def small(body: str) -> list[ScaleGroup]:
    return groups_of(
        graph_of(
            f"g (float[N,4,6,6] x) => (float y) {{ {body} }}",
            w=gaussian(4, 4, 1, 1),
            t=np.array([-1, 36]),
        )
    )


def test_residual_network() -> None:
    """What only a Relu reads takes its scale; the sum's second operand keeps its own."""
    assert written(groups_of(GRAPHS["residual"]())) == {
        "x | ",
        "r0 | stem",
        "r1 | c1",
        "c2 | ",
        "r2 | s",
        "f p | ",
        "y | ",
    }


def test_concat_shares_with_what_it_alone_reads() -> None:
    assert written(groups_of(GRAPHS["concat"]())) == {
        "x | ",
        "a j | ",
        "br | b",
        "k y | ",
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a = Conv(x, w) y = Relu(a)", {"x | ", "y | a"}),
        ("a = Conv(x, w) b = Relu(a) y = Add(a, b)", {"x | ", "a | ", "b | ", "y | "}),
        ("a = Conv(x, w) b = Relu(a) y = Relu(b)", {"x | ", "b | a", "y | "}),
        ("a = Conv(x, w) b = Reshape(a, t) y = Relu(b)", {"x | ", "a b | ", "y | "}),
        ("a = Conv(x, w) y = Reshape(a, t)", {"x | ", "a y | "}),
        ("a = Relu(x) y = Conv(a, w)", {"x | ", "a | ", "y | "}),
        ("a = Conv(x, w) y = Concat<axis=1>(a, a)", {"x | ", "a | ", "y | "}),
        ("a = Conv(x, w) y = Concat<axis=1>(a, x)", {"x | ", "a y | "}),
        (
            "a = Conv(x, w) b = Relu(a) c = Conv(x, w) y = Concat<axis=1>(b, c)",
            {"x | ", "b c y | a"},
        ),
        ("a = Conv(x, w) b, c = Split<axis=1, num_outputs=2>(a) y = Mul(b, c)",
         {"x | ", "a b c | ", "y | "}),
    ],
)  # fmt: skip
def test_rules(body: str, expected: set[str]) -> None:
    assert written(small(body)) == expected


def test_fixed_parameters_reach_through_data_movement() -> None:
    """A Reshape of a Sigmoid moves integers of 1/256, whatever was observed."""
    groups = small(
        "a = Conv(x, w) b = Sigmoid(a) c = Reshape(b, t) d = Reshape(a, t) y = Mul(c, d)"
    )
    fixed = [group for group in groups if group.fixed is not None]
    assert [sorted(group.members) for group in fixed] == [["b", "c"]]
    assert fixed[0].fixed == FACTS["Sigmoid"].output
    assert "b" not in observed_names(groups)
    assert "c" not in observed_names(groups)


def test_concat_of_a_sigmoid_does_not_inherit_its_scale() -> None:
    groups = small(
        "a = Conv(x, w) b = Sigmoid(a) d = Conv(x, w) c = Concat<axis=1>(b, d) y = Relu(c)"
    )
    joined = next(group for group in groups if "c" in group.members)
    assert sorted(joined.members) == ["c", "d"]
    assert joined.fixed is None


@pytest.mark.parametrize("name", GRAPHS)
def test_groups_partition_what_integer_nodes_touch(name: str) -> None:
    model = GRAPHS[name]()
    groups = groups_of(model)
    members = [member for group in groups for member in group.members]
    assert len(members) == len(set(members))
    assert all(set(group.voters) <= set(group.members) and group.voters for group in groups)
    constants = set(model.graph.initializers)
    assert not constants & set(members)


def test_float_graph_has_no_groups() -> None:
    assert small("y = Exp(x)") == []
