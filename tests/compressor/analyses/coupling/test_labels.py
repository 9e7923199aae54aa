"""Labels that are united stay together, whatever they are made of."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from compressor.analyses.coupling.labels import Labels


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_union_is_the_finest_partition(links: list[tuple[int, int]]) -> None:
    labels = Labels()
    ids = labels.fresh(20)
    first = np.array([a for a, _ in links], np.int64)
    second = np.array([b for _, b in links], np.int64)
    labels.unite(ids[first], ids[second])
    group = list(range(20))
    for a, b in links:
        group = [group[b] if g == group[a] else g for g in group]
    roots = labels.find(ids)
    for a in range(20):
        for b in range(20):
            assert (roots[a] == roots[b]) == (group[a] == group[b])


def test_product_is_taken_apart_as_it_was_made() -> None:
    labels = Labels()
    heads, within = labels.fresh(3), labels.fresh(4)
    merged = labels.merge((3, 2, 4), (heads, None, within))
    assert merged is not None
    found = labels.factor(merged, (3, 2, 4))
    assert found[1] is None
    assert [part.tolist() for part in found if part is not None] == [[0, 1, 2], [3, 4, 5, 6]]


def test_other_grouping_of_the_same_product() -> None:
    labels = Labels()
    parts = [labels.fresh(2), labels.fresh(3), labels.fresh(5)]
    inner = labels.merge((3, 5), parts[1:])
    merged = labels.merge((2, 15), (parts[0], inner))
    assert merged is not None
    outer, last = labels.factor(merged, (6, 5))
    assert outer is not None
    assert last is not None
    assert last.tolist() == parts[2].tolist()
    again = labels.factor(outer, (2, 3))
    assert [a.tolist() for a in again if a is not None] == [p.tolist() for p in parts[:2]]


def test_atoms_become_pairs_when_an_axis_is_split() -> None:
    labels = Labels()
    ids = labels.fresh(6)
    outer, inner = labels.factor(ids, (2, 3))
    assert outer is not None
    assert inner is not None
    atoms, complete = labels.atoms(ids)
    assert complete
    assert atoms.tolist() == [[o, i] for o in outer for i in inner]


def test_uniting_pairs_unites_their_halves() -> None:
    labels = Labels()
    a, b = labels.fresh(4), labels.fresh(4)
    labels.unite(labels.pairs(a, b), labels.pairs(b, a))
    assert labels.find(a).tolist() == labels.find(b).tolist()


def test_freezing_a_pair_freezes_both_halves() -> None:
    labels = Labels()
    a, b, c = labels.fresh(1), labels.fresh(1), labels.fresh(1)
    labels.freeze(labels.pairs(a, b), "held")
    labels.freeze(c, "first")
    labels.freeze(c, "second")
    assert labels.frozen() == {int(a[0]): "held", int(b[0]): "held", int(c[0]): "first"}


def test_label_that_contains_itself_is_told() -> None:
    labels = Labels()
    a, b = labels.fresh(1), labels.fresh(1)
    pair = labels.pairs(a, b)
    labels.unite(a, pair)
    assert not labels.atoms(pair)[1]
    labels.freeze(pair, "held")
    assert set(labels.frozen().values()) == {"it is a part of itself"}
