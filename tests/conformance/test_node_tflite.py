"""Every operator of the standard is exact in TFLite, or refused with the reason.

Each case is read, written as TFLite and run by LiteRT in a child process. `make conformance` runs
all of them and prints the table; `make test` runs a part.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from tests.conformance.nodes import cases
from tests.conformance.tflite_nodes import Bench, Outcome, Verdict, in_scope

_IS_FULL = os.environ.get("EDGEC_CONFORMANCE") == "full"
_PARTS = 1 if _IS_FULL else 12
_LEAST_RIGHT = 0.85


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("tflite_nodes"))
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {}


@pytest.mark.parametrize("name", list(cases())[::_PARTS])
def test_operator(name: str, bench: Bench, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name] = bench.try_case(cases()[name])
    assert outcome.verdict in (Verdict.RIGHT, Verdict.REFUSED), outcome.detail


@pytest.mark.slow
@pytest.mark.skipif(not _IS_FULL, reason="make conformance judges the share of all")
def test_most_operators_are_right(bench: Bench, outcomes: dict[str, Outcome]) -> None:
    for name, case in cases().items():
        if name not in outcomes:  # another worker has tried it
            outcomes[name] = bench.try_case(case)
    judged = {name: outcomes[name] for name, case in cases().items() if in_scope(case)}
    share = sum(o.verdict is Verdict.RIGHT for o in judged.values()) / len(judged)
    print(table(judged))
    print(f"{len(judged)} cases in scope of {len(outcomes)}: {share:.1%} right")
    assert share >= _LEAST_RIGHT


def table(outcomes: dict[str, Outcome]) -> str:
    """Return how the cases of each operator ended, one line an operator."""
    counts: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for name, outcome in outcomes.items():
        operators = {node.op_type for node in cases()[name].model.graph.node}
        counts[min(operators) if len(operators) == 1 else "several"][outcome.verdict] += 1
    head = f"{'operator':<28}" + "".join(f"{verdict.value:>9}" for verdict in Verdict)
    rows = [
        f"{operator:<28}" + "".join(f"{found[verdict]:>9}" for verdict in Verdict)
        for operator, found in sorted(counts.items())
    ]
    return "\n".join([head, *rows])


def test_a_refusal_has_a_code_and_names_the_operator(bench: Bench) -> None:
    outcome = bench.try_case(cases()["det_2d"])
    assert outcome.verdict is Verdict.REFUSED
    assert outcome.detail.startswith("NO_LOWERING: operator Det ")


def test_parameters_are_stored_where_a_model_has_them(bench: Bench) -> None:
    outcome = bench.try_case(cases()["slice"])
    assert outcome.verdict is Verdict.RIGHT
    assert outcome.bound


def test_wrong_numbers_are_seen(bench: Bench) -> None:
    case = cases()["relu"]
    spoilt = {name: array + 1 for name, array in case.outputs.items()}
    altered = type(case)(case.name, case.model, case.feeds, spoilt, case.rtol, case.atol)
    assert bench.try_case(altered).verdict is Verdict.WRONG
    assert in_scope(altered)


def test_types_that_tflite_lacks_are_out_of_scope() -> None:
    assert not in_scope(cases()["bitwise_and_ui64_bcast_3v1d"])
