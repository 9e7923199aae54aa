"""A plan that is written down can be applied again, to its own model only."""

from pathlib import Path

import pytest

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.errors import Code, EdgecError
from compressor.pruning.summary import plan_text, read_plan, rows_of
from tests.coupled import GRAPHS

PLAN = Plan(removed={"n0": (1, 3), "n6": (0,)})


def test_plan_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "prune_plan.json"
    path.write_text(plan_text(PLAN, "abc"))
    assert read_plan(path, "abc") == PLAN


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "no JSON"),
        ("[]", "does not say"),
        ('{"removed": {"n0": [1.5]}}', "does not say"),
        ('{"removed": {"n0": [true]}}', "does not say"),
        ('{"removed": {}, "schema_version": 9}', "schema_version"),
        ('{"removed": {}, "schema_version": 1, "fingerprint": "x"}', "belongs to graph x"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(EdgecError, match=why) as caught:
        read_plan(path, "abc")
    assert caught.value.code is Code.PRUNE_PLAN_MISMATCH


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EdgecError, match="No such file"):
        read_plan(tmp_path / "none.json", "abc")


def test_rows_say_how_many_stay_and_why() -> None:
    rows = rows_of(couple(GRAPHS["padded_shortcut"][0]()), PLAN, "macs=50%")
    assert [(row.name, row.total, row.kept) for row in rows] == [
        ("n0", 4, 2),
        ("n1", 4, 4),
        ("n6", 6, 5),
        ("n9", 5, 5),
    ]
    assert rows[0].why == "macs=50%"
    assert "output" in rows[3].why
