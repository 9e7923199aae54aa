"""The page of operators tells of every operator that mobile models use."""

import re

from tests.conformance.nodes import cases
from tests.conformance.op_support import PAGE, Support, page
from tests.conformance.tflite_nodes import in_scope


def test_the_page_lists_every_operator_in_scope() -> None:
    text = PAGE.read_text()
    wanted = set()
    for case in cases().values():
        operators = {node.op_type for node in case.model.graph.node}
        if len(operators) == 1 and in_scope(case):
            wanted |= operators
    assert set(re.findall(r"^\| (\w+) \| \d", text, re.MULTILINE)) == wanted, "run make op-support"


def test_rows_and_the_sum() -> None:
    found = [
        Support(operator="Add", right=2, total=2, reasons=()),
        Support(operator="Cast", right=1, total=2, reasons=("no | such type",)),
    ]
    text = page(found)
    assert "| Cast | 1 | 2 | no \\| such type |" in text
    assert "3 of 4 tests are right (75%)" in text
