from typing import Any

import pytest

from bench.gate.budget import Budget, read_budgets, rule_all
from bench.gate.facts import Facts
from bench.gate.ruling import Level, Outcome, exit_code
from compressor.errors import Code, EdgecError, ExitCode

INTERVAL = {"value": 2e6, "low": 1.9e6, "high": 2.1e6}
ONNX = {
    "name": "model.onnx",
    "runtime": "ort",
    "size": {"file_bytes": 900, "gzip_bytes": 700},
    "weight_bytes": 600,
    "integer_macs": 0.95,
    "integer_weights": 1.0,
    "operators": {"Conv": 3, "Relu": 2},
    "opset": 21,
    "latency": {"median_ns": INTERVAL},
    "ratio": {"ratio": {"value": 0.5, "low": 0.48, "high": 0.52}},
    "accuracy": {
        "metric": "top1",
        "artifact": 91.5,
        "drop": {"value": 0.4, "low": 0.0, "high": 0.8},
        "agreement": 99.0,
        "cosine": 0.999,
        "sqnr_db": 25.0,
    },
    "memory": {"peak_bytes": 9e6, "added_bytes": 2e6},
}
TFLITE = {**ONNX, "name": "model.tflite", "runtime": "litert", "opset": None}
REPORT: dict[str, Any] = {
    "artifacts": [ONNX, TFLITE],
    "source": {"size": {"file_bytes": 3000, "gzip_bytes": 2500}, "weight_bytes": 2400},
    "environment": {"versions": {"onnxruntime": "1.32.0"}},
}
ESTIMATES = [
        {"target": "sim:board", "artifact": "model.tflite", "tier": "PROFILE",
         "seconds": {"value": 0.01, "low": 0.008, "high": 0.013}},
        {"target": "sim:odd", "artifact": "model.tflite", "tier": "UNKNOWN", "reason": "attention"},
    ]  # fmt: skip


def read(table: dict[str, Any]) -> list[Budget]:
    return read_budgets(table, lambda path: (f"at {'.'.join(path)}", len(path)))


def outcomes(table: dict[str, Any], **facts: Any) -> dict[str, str]:
    rulings = rule_all(read(table), Facts(**{"report": REPORT, "estimates": ESTIMATES, **facts}))
    return {ruling.title: ruling.outcome.value for ruling in rulings}


@pytest.mark.parametrize(
    ("kind", "key", "limit", "outcome"),
    [
        ("size", "file", "900 B", "pass"),
        ("size", "file", "899 B", "fail"),
        ("size", "gzip", "0.3x float", "pass"),
        ("size", "weights", "0.2x float", "fail"),
        ("memory", "peak", "10 MB", "pass"),
        ("memory", "added", "1 MB", "fail"),
        ("accuracy", "top1", "91.5 %", "pass"),
        ("accuracy", "top1", ">= 92 %", "fail"),
        ("accuracy", "top5", ">= 92 %", "fail"),  # the report holds another metric
        ("max_drop", "top1", "0.5 pt", "pass"),
        ("max_drop", "top1", "0.3 pt", "fail"),
        ("likeness", "agreement", "99 %", "pass"),
        ("likeness", "cosine", "0.9999", "fail"),
        ("likeness", "sqnr", "20 dB", "pass"),
        ("integer", "macs", "95 %", "pass"),
        ("integer", "macs", "96 %", "fail"),
        ("ops", "deny", ["conv"], "fail"),
        ("ops", "deny", ["Loop"], "pass"),
        ("ops", "allow", ["Conv", "Relu"], "pass"),
        ("ops", "allow", ["Conv"], "fail"),
        ("versions", "opset", "<= 21", "pass"),
        ("versions", "opset", "<= 17", "fail"),
        ("versions", "onnxruntime", ">= 1.32", "pass"),
        ("versions", "onnxruntime", "== 1.31", "fail"),
        ("versions", "tflite", "<= 2", "fail"),
        ("latency", "ort", "2.1 ms", "pass"),
        ("latency", "ort", "2 ms", "uncertain"),
        ("latency", "ort", "1 ms", "fail"),
        ("latency", "ort", "0.6x float", "pass"),
        ("latency", "ort", "0.5x float", "uncertain"),
    ],
)
def test_budgets_of_the_onnx_artifact(kind: str, key: str, limit: Any, outcome: str) -> None:
    found = outcomes({"artifact": {"*.onnx": {kind: {key: limit}}}})
    assert found == {f"{kind}.{key} of model.onnx": outcome}


def test_a_budget_is_about_every_artifact_unless_it_says_which() -> None:
    table = {"size": {"file": "1 KB"}, "artifact": {"*.tflite": {"size": {"file": "10 B"}}}}
    rulings = rule_all(read(table), Facts(report=REPORT))
    assert [(r.artifact, r.outcome.value) for r in rulings] == [
        ("model.onnx", "pass"),
        ("model.tflite", "pass"),
        ("model.tflite", "fail"),
    ]


@pytest.mark.parametrize(
    ("target", "limit", "outcome"),
    [("sim:board", "13 ms", "pass"), ("sim:board", "12 ms", "uncertain"),
     ("sim:board", "7 ms", "fail"), ("sim:odd", "7 ms", "unknown")],
)  # fmt: skip
def test_simulated_latency_is_judged_by_its_interval(target: str, limit: str, outcome: str) -> None:
    assert outcomes({"latency": {target: limit}}) == {f"latency.{target} of model.tflite": outcome}


def test_memory_and_energy_of_a_target() -> None:
    entry = {
        "target": "tflm",
        "artifact": "model.tflite",
        "tier": "MEASURED",
        "arena": 50_000,
        "flash": 300_000,
        "joules": {"value": 1e-3, "low": 8e-4, "high": 1.2e-3},
    }
    table = {
        "arena": {"tflm": "64 KB"},
        "flash": {"tflm": "256 KB"},
        "energy": {"tflm": "1 mJ"},
    }
    assert list(outcomes(table, estimates=[entry]).values()) == ["pass", "fail", "uncertain"]
    assert set(outcomes(table).values()) == {"fail"}  # nobody was asked


def test_a_target_that_nothing_was_measured_on_fails() -> None:
    assert outcomes({"latency": {"sim:nowhere": "7 ms"}}) == {"latency.sim:nowhere": "fail"}
    assert outcomes({"artifact": {"*.ort": {"size": {"file": "1 MB"}}}}) == {"size.file": "fail"}


def test_numbers_that_are_missing_or_null_fail() -> None:
    broken = {**ONNX, "size": {"file_bytes": None}, "accuracy": None, "operators": {}}
    broken["integer_macs"] = None
    report = {"artifacts": [broken]}
    table = {
        "size": {"file": "1 MB", "gzip": "1 MB"},
        "max_drop": {"top1": "1 pt"},
        "likeness": {"cosine": "0.9"},
        "ops": {"deny": ["Loop"]},
        "integer": {"macs": "1 %"},
    }
    assert set(outcomes(table, report=report).values()) == {"fail"}
    assert set(outcomes(table, report={}).values()) == {"fail"}


def test_a_stale_artifact_fails_whatever_its_numbers() -> None:
    found = outcomes({"size": {"file": "1 KB"}}, stale=frozenset({"model.onnx"}))
    assert found == {"size.file of model.onnx": "fail", "size.file of model.tflite": "pass"}


def test_latency_against_the_baseline_is_decided_by_the_interleaved_ratio() -> None:
    comparisons = {"model.onnx": {"ort": {"value": 1.2, "low": 1.15, "high": 1.25}}}
    table = {"latency": {"ort": "+10 %"}}
    assert outcomes(table, comparisons=comparisons) == {"latency.ort of model.onnx": "fail"}
    assert outcomes(table) == {"latency.ort of model.onnx": "fail"}  # never timed


def test_levels_and_exit_codes() -> None:
    missed = {"limit": "1 B", "level": "warn"}
    rulings = rule_all(read({"size": {"file": missed}}), Facts(report=REPORT))
    assert {r.level for r in rulings} == {Level.WARN}
    assert exit_code(rulings) is ExitCode.OK
    off = read({"size": {"file": {"limit": "1 B", "level": "off"}}})
    assert rule_all(off, Facts(report=REPORT)) == []
    failed = rule_all(read({"size": {"file": "1 B"}}), Facts(report=REPORT))
    noisy = rule_all(read({"latency": {"ort": "2 ms"}}), Facts(report=REPORT))
    facts = Facts(report=REPORT, estimates=ESTIMATES)
    unknown = rule_all(read({"latency": {"sim:odd": "2 ms"}}), facts)
    assert noisy[0].outcome is Outcome.UNCERTAIN
    assert exit_code([*noisy, *failed]) is ExitCode.BUDGET
    assert exit_code(noisy) is ExitCode.INCONCLUSIVE
    assert exit_code(noisy, allow_uncertain=True) is ExitCode.OK
    assert exit_code(unknown, allow_uncertain=True) is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("table", "where", "expected"),
    [
        ({"sise": {"file": "1 B"}}, "at sise", "size"),
        ({"size": {"fil": "1 B"}}, "at size.fil", "file"),
        ({"size": "1 B"}, "at size", "a table"),
        ({"size": {"file": {"limt": "1 B"}}}, "at size.file", "limit"),
        ({"size": {"file": {"level": "warn"}}}, "at size.file", "limit"),
        ({"size": {"file": {"limit": "1 B", "level": "wrn"}}}, "at size.file", "warn"),
        ({"accuracy": {"top2": "1 %"}}, "at accuracy.top2", "top"),
        ({"ops": {"deny": "Conv"}}, "at ops.deny", "a list"),
        ({"versions": {"opset": 21}}, "at versions.opset", "<= 21"),
        ({"artifact": {"*.onnx": "1 B"}}, "at artifact.*.onnx", "a table"),
    ],
)
def test_a_broken_table_is_refused(table: dict[str, Any], where: str, expected: str) -> None:
    with pytest.raises(EdgecError) as caught:
        read(table)
    assert caught.value.code is Code.RECIPE_INVALID
    assert caught.value.where == where
    assert expected in caught.value.expected
