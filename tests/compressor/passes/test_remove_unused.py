from compressor.passes.remove_unused import RemoveUnused
from tests.graphs import apply, assert_same, gaussian, graph_of, lines_of


def test_dead_nodes_and_constants_go() -> None:
    model = graph_of(
        "g (float[N,3] x) => (float[N,3] y) { d = Mul(x, w) e = Relu(d) y = Neg(x) }", w=gaussian(3)
    )
    before = model.clone()
    [changes, again] = apply(model, RemoveUnused(), RemoveUnused())
    assert changes.counts == {"nodes removed": 2, "outputs removed": 0, "constants removed": 1}
    assert lines_of(model) == ["y = Neg(x)"]
    assert not again.modified
    assert_same(before, model)


def test_outputs_that_nothing_reads_are_dropped() -> None:
    model = graph_of(
        "g (float[7,N,3] x) => (float[1,N,5] h) { all, h = GRU<hidden_size=5>(x, w, r) }",
        w=gaussian(1, 15, 3),
        r=gaussian(1, 15, 5),
    )
    before = model.clone()
    [changes, again] = apply(model, RemoveUnused(), RemoveUnused())
    assert changes.counts == {"nodes removed": 0, "outputs removed": 1, "constants removed": 0}
    assert not again.modified
    assert_same(before, model, terms=8, layers=7)


def test_equal_nodes_are_merged() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { a = Relu(x) b = Relu(x) y = Add(a, b) }")
    before = model.clone()
    apply(model, RemoveUnused())
    assert lines_of(model) == ["a = Relu(x)", "y = Add(a, a)"]
    assert_same(before, model)


def test_nodes_that_differ_in_an_attribute_stay() -> None:
    model = graph_of(
        """g (float[N,3] x) => (float[N,3] y) {
            a = LeakyRelu<alpha=0.1>(x)
            b = LeakyRelu<alpha=0.2>(x)
            y = Add(a, b)
        }"""
    )
    [changes] = apply(model, RemoveUnused())
    assert not changes.modified


def test_equal_outputs_keep_both_names() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y, float[N,3] z) { y = Relu(x) z = Relu(x) }")
    before = model.clone()
    apply(model, RemoveUnused())
    assert_same(before, model)


def test_random_nodes_are_not_merged() -> None:
    model = graph_of(
        """g (float[4] x) => (float[4] y) {
            a = RandomNormalLike(x)
            b = RandomNormalLike(x)
            y = Sub(a, b)
        }"""
    )
    apply(model, RemoveUnused())
    assert len(model.graph) == 3


def test_unread_input_stays_in_the_interface() -> None:
    model = graph_of("g (float[N,3] x, float[2] unread) => (float[N,3] y) { y = Neg(x) }")
    apply(model, RemoveUnused())
    assert [value.name for value in model.graph.inputs] == ["x", "unread"]
