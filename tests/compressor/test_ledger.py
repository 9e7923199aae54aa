import json

import pytest

from compressor.analyses.cost import Cost
from compressor.ledger import LedgerEntry
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
