from typing import Any

from bench.gate.facts import Facts
from bench.gate.ruling import Judgement, Level, Outcome, Ruling
from bench.gate.why import explain


def layer(name: str, size: int, precision: str = "float", macs: int = 10) -> dict[str, Any]:
    return {
        "name": name,
        "op_type": "Conv",
        "weight_bytes": size,
        "precision": precision,
        "macs": macs,
    }


def broken(budget: str) -> Ruling:
    judged = Judgement(outcome=Outcome.FAIL, found="x")
    return Ruling(
        budget=budget, artifact="", limit="1 B", level=Level.ERROR, judgement=judged, line=1
    )


FLOAT = {"layers": [layer("stem", 4000), layer("head", 40_000), layer("tail", 400, macs=1000)]}
INTEGER = {"layers": [layer("stem", 1000, "integer"), layer("head", 10_000, "integer")]}


def test_size_names_the_largest_layers_and_what_would_help() -> None:
    lines = list(explain([broken("size.file")], Facts(report=FLOAT)))
    assert "44.4 KB" in lines[0]
    assert "head" in lines[1]
    assert "90%" in lines[1]
    assert "--quantize int8 on head, stem, tail" in lines[-1]
    assert "33.3 KB" in lines[-1]


def test_size_against_a_baseline_names_the_layers_that_grew() -> None:
    lines = list(explain([broken("size.file")], Facts(report=FLOAT, baseline=INTEGER)))
    assert "+33.4 KB" in lines[0]
    assert "+30 KB" in lines[1]
    assert "head" in lines[1]


def test_layers_that_are_gone_count_too() -> None:
    fewer = {"layers": [layer("stem", 1000, "integer")]}
    lines = list(explain([broken("size.gzip")], Facts(report=fewer, baseline=INTEGER)))
    assert any("-10 KB" in line and "no more" in line for line in lines)
    assert "only pruning" in lines[-1]


def test_time_names_the_layers_with_the_most_work() -> None:
    lines = list(explain([broken("latency.ort")], Facts(report=FLOAT)))
    assert "tail" in lines[1]
    assert "98%" in lines[1]


def test_loss_ranks_layers_where_they_were_measured() -> None:
    assert "no layers are ranked" in next(
        iter(explain([broken("max_drop.top1")], Facts(report={})))
    )
    ranked = {"quantization": {"sensitivity": [{"node": "stem", "sqnr_db": 12.3}]}}
    lines = list(explain([broken("max_drop.top1")], Facts(report=ranked)))
    assert "SQNR 12.3 dB" in lines[1]


def test_everything_is_explained_when_all_is_kept() -> None:
    heads = [line.split(":")[0] for line in explain([], Facts(report=FLOAT)) if line[0] != " "]
    assert heads == ["size", "time", "loss"]
