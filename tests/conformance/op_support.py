"""Writes docs/op-support.md: what becomes of each ONNX operator as TFLite, found by running.

make op-support
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.nodes import cases
from tests.conformance.tflite_nodes import Bench, Outcome, Verdict, in_scope

PAGE = Path(__file__).parents[2] / "docs" / "op-support.md"

_HEAD = """# ONNX operators as TFLite

Made by `make op-support`: every operator test of the ONNX standard whose types TFLite has is read,
written as TFLite and run by LiteRT in a child process. *Right* counts the tests whose answers agree
with the standard's; the others are refused before anything is written, with the reason. There are
no wrong answers.

`edgec check MODEL --to tflite` says the same of a model of your own, and which of its nodes INT8
leaves in float.

| operator | right | of | refused because |
| --- | ---: | ---: | --- |
"""


@dataclass(frozen=True, kw_only=True)
class Support:
    """What was found of one operator.

    Attributes:
        right: tests that are right, of *total*.
        reasons: why the others are refused, the most frequent first.
    """

    operator: str
    right: int
    total: int
    reasons: tuple[str, ...]

    def line(self) -> str:
        """Return the row of the table."""
        reasons = "; ".join(self.reasons).replace("|", "\\|")
        return f"| {self.operator} | {self.right} | {self.total} | {reasons} |"


def page(found: Sequence[Support]) -> str:
    """Return the document."""
    right, total = sum(s.right for s in found), sum(s.total for s in found)
    summary = f"\n{right} of {total} tests are right ({right / total:.0%}), the rest refused.\n"
    return _HEAD + "".join(f"{one.line()}\n" for one in found) + summary


def supports(outcomes: Mapping[str, Outcome]) -> list[Support]:
    """Return what *outcomes* by case say of each operator, in the order of their names."""
    by_operator: dict[str, list[str]] = defaultdict(list)
    for name in outcomes:
        operators = {node.op_type for node in cases()[name].model.graph.node}
        if len(operators) == 1:
            by_operator[min(operators)].append(name)
    return [
        _support(operator, {name: outcomes[name] for name in names})
        for operator, names in sorted(by_operator.items())
    ]


def _support(operator: str, outcomes: Mapping[str, Outcome]) -> Support:
    good = [name for name, outcome in outcomes.items() if outcome.verdict is Verdict.RIGHT]
    bad = Counter(o.detail for o in outcomes.values() if o.verdict is not Verdict.RIGHT)
    return Support(
        operator=operator,
        right=len(good),
        total=len(outcomes),
        reasons=tuple(_plain(reason) for reason, _ in bad.most_common(2)),
    )


def _plain(reason: str) -> str:
    """Return *reason* on one line, without the names of a test's tensors."""
    reason = re.sub(r"^.*cannot be written as TFLite: ", "", " ".join(reason.split()))
    return re.sub(r"'[^']*'", "...", re.sub(r" \(and \d+ more nodes\)$", "", reason))


def main() -> None:
    """Run the tests in scope and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        wanted = {name: case for name, case in cases().items() if in_scope(case)}
        outcomes = {name: bench.try_case(case) for name, case in wanted.items()}
        bench.close()
    wrong = [n for n, o in outcomes.items() if o.verdict in (Verdict.WRONG, Verdict.CRASHED)]
    if wrong:
        raise SystemExit(f"these are wrong, and the page would lie: {', '.join(wrong)}")
    found = supports(outcomes)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(found))


if __name__ == "__main__":
    main()
