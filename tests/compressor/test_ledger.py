import dataclasses
import json

import pytest

from compressor.analyses.cost import Cost
from compressor.ledger import LedgerEntry, ledger_json
from compressor.passes.protocol import Changes, Skipped

COST = Cost(macs=10, parameters=20, weight_bytes=80)
SKIPPED = (Skipped(node="bn", reason="trains"),)


def entry(changes: Changes, quality: float | None = None) -> LedgerEntry:
    return LedgerEntry(
        name="fold", seconds=0.123456, changes=changes, nodes=3, cost=COST, quality=quality
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (Changes(), "nothing to do"),
        (Changes(counts={"folded": 0}), "nothing to do"),
        (Changes(counts={"folded": 2, "lowered": 0}), "2 folded"),
        (Changes(counts={"folded": 2, "lowered": 1}), "2 folded, 1 lowered"),
        (Changes(counts={"folded": 2}, skipped=SKIPPED), "2 folded, 1 skipped"),
        (Changes(skipped=SKIPPED), "1 skipped"),
    ],
)
def test_summary(changes: Changes, text: str) -> None:
    assert entry(changes).summary() == text


def test_json() -> None:
    found = entry(Changes(counts={"folded": 2}, skipped=SKIPPED), 0.5).to_json()
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "pass": "fold",
        "seconds": 0.1235,
        "changes": {"folded": 2},
        "skipped": [{"node": "bn", "reason": "trains"}],
        "nodes": 3,
        "macs": 10,
        "parameters": 20,
        "weight_bytes": 80,
        "quality": 0.5,
    }


def test_changes_add_up_to_the_last_entry() -> None:
    costs = [(100, 50, 200), (90, 50, 210), (90, 20, 80)]
    entries = [
        dataclasses.replace(
            entry(Changes()), cost=Cost(macs=macs, parameters=parameters, weight_bytes=size)
        )
        for macs, parameters, size in costs
    ]
    start = Cost(macs=7, parameters=60, weight_bytes=240)
    changes = [tree["change"] for tree in ledger_json(start, entries)]
    assert changes[1] == {"macs": -10, "parameters": 0, "weight_bytes": 10}
    for name, count in dataclasses.asdict(start).items():
        assert count + sum(change[name] for change in changes) == getattr(entries[-1].cost, name)
