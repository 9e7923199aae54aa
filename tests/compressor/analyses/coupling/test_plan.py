"""A plan names what goes; one that does not fit is refused with the reason."""

import pytest

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.errors import Code, EdgecError
from tests.coupled import GRAPHS

COUPLING = couple(GRAPHS["padded_shortcut"][0]())


def test_units_are_those_of_the_named_places() -> None:
    name = COUPLING.prunable[1].name
    units = Plan(removed={name: (3, 0)}).units(COUPLING)
    assert units.tolist() == COUPLING.prunable[1].units[[0, 3]].tolist()


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ({"n00": (0,)}, "does not exist"),
        ({"n9": (0,)}, "'y' is an output"),
        ({"n6": (6,)}, "has no unit 6"),
        ({"n6": (-1,)}, "has no unit"),
        ({"n6": tuple(range(6))}, "would vanish"),
    ],
)
def test_plan_that_does_not_fit(removed: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(EdgecError, match=message) as caught:
        Plan(removed=removed).units(COUPLING)
    assert caught.value.code is Code.PRUNE_PLAN_MISMATCH
