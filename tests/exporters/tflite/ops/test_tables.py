"""Every family is found, complete, and has a case for each operator that it knows."""

import re

import pytest

from exporters.tflite.ops.protocol import IntegerForm
from exporters.tflite.ops.tables import FAMILIES, legalizations, lowerings
from tests.exporters.tflite.harness import parse, to_integers, with_random_constants
from tests.exporters.tflite.ops.cases import FLOAT, INTEGER


@pytest.mark.parametrize("name", list(FAMILIES))
def test_family_is_complete(name: str) -> None:
    family = FAMILIES[name]
    assert family.__doc__
    assert family.LEGALIZE or family.LOWER
    assert all(callable(rule) for rule in family.LEGALIZE.values())


def test_no_operator_has_two_families() -> None:
    assert len(legalizations()) == sum(len(family.LEGALIZE) for family in FAMILIES.values())
    assert len(lowerings()) == sum(len(family.LOWER) for family in FAMILIES.values())


@pytest.mark.parametrize("name", list(FAMILIES))
def test_every_operator_of_a_family_has_a_float_case(name: str) -> None:
    text = " ".join(FLOAT.get(name, []))
    known = set(FAMILIES[name].LEGALIZE) - {"Convert"}
    assert {op for op in known if not re.search(rf"= {op}[<(]", text)} == set()


def test_every_integer_kernel_has_a_case() -> None:
    from exporters.tflite.legalize import legalize

    found = set()
    for cases in INTEGER.values():
        for text, ranges in cases:
            model = to_integers(with_random_constants(parse(text)), ranges)
            assert legalize(model.graph) == []
            found |= {node.op_type for node in model.graph}
    claimed = {op for op, low in lowerings().items() if low.integer is not IntegerForm.NONE}
    assert claimed - found == set()
