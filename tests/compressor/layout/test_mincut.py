"""Minimum cuts are as cheap as the best of all labellings."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.layout.mincut import FORBIDDEN, Labelling, PairCost

VARIABLES = 6
COSTS = st.integers(0, 20)
UNARY = st.lists(st.tuples(COSTS, COSTS), min_size=VARIABLES, max_size=VARIABLES)
INDEX = st.integers(0, VARIABLES - 1)


@st.composite
def pair_costs(draw: st.DrawFn) -> tuple[int, int, PairCost]:
    """Two different variables and a submodular cost."""
    left = draw(INDEX)
    right = draw(INDEX.filter(lambda index: index != left))
    c00, c11 = draw(COSTS), draw(COSTS)
    c01 = draw(COSTS)
    c10 = max(draw(COSTS), c00 + c11 - c01)
    return left, right, PairCost(c00=c00, c01=c01, c10=c10, c11=c11)


@st.composite
def shared_costs(draw: st.DrawFn) -> tuple[int, list[int], int]:
    """One variable, others, and what it costs once when any of them differs."""
    left = draw(INDEX)
    others = draw(st.lists(INDEX.filter(lambda i: i != left), min_size=1, max_size=4, unique=True))
    return left, others, draw(COSTS)


@given(
    unary=UNARY,
    pairs=st.lists(pair_costs(), max_size=6),
    shared=st.lists(shared_costs(), max_size=6),
)
def test_is_as_cheap_as_the_best_labelling(
    unary: list[tuple[int, int]],
    pairs: list[tuple[int, int, PairCost]],
    shared: list[tuple[int, list[int], int]],
) -> None:
    def total(labels: tuple[int, ...]) -> int:
        cost = sum(unary[index][label] for index, label in enumerate(labels))
        for left, right, pair in pairs:
            table = ((pair.c00, pair.c01), (pair.c10, pair.c11))
            cost += table[labels[left]][labels[right]]
        for left, others, amount in shared:
            cost += amount * any(labels[other] != labels[left] for other in others)
        return cost

    problem = Labelling()
    variables = [problem.variable() for _ in range(VARIABLES)]
    for variable, (first, last) in zip(variables, unary, strict=True):
        problem.cost(variable, first=first, last=last)
    for left, right, pair in pairs:
        problem.pair(variables[left], variables[right], pair)
    for left, others, amount in shared:
        problem.differ(variables[left], [variables[other] for other in others], amount)
    solution = problem.solve()
    found = tuple(solution[variable] for variable in variables)
    best = min(total(labels) for labels in product((0, 1), repeat=VARIABLES))
    assert total(found) == best


def test_ties_go_to_first() -> None:
    problem = Labelling()
    free, tied = problem.variable(), problem.variable()
    problem.cost(tied, first=3, last=3)
    solution = problem.solve()
    assert (solution[free], solution[tied]) == (0, 0)


def test_forbidden_labels_are_never_chosen() -> None:
    problem = Labelling()
    fixed, other = problem.variable(), problem.variable()
    problem.cost(fixed, first=FORBIDDEN)
    problem.cost(other, last=FORBIDDEN)
    problem.differ(fixed, [other], 1 << 40)
    solution = problem.solve()
    assert (solution[fixed], solution[other]) == (1, 0)


def test_refuses_what_a_cut_cannot_express() -> None:
    problem = Labelling()
    left, right = problem.variable(), problem.variable()
    with pytest.raises(ValueError, match="cannot express"):
        problem.pair(left, right, PairCost(c00=1, c11=1))
