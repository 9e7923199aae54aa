"""Every format holds every ruling, survives odd names, and fits what programs expect of it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from sarif_pydantic import Sarif

from bench.gate.format import FORMATS, Verdict, render
from bench.gate.ruling import Judgement, Level, Outcome, Ruling

ODD = 'a|b<c>&"d"\n%e\x07:,::'
SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "formats" / "junit.xsd")


def ruling(outcome: Outcome, level: Level = Level.ERROR, name: str = "size.file") -> Ruling:
    judged = Judgement(outcome=outcome, found="2 MB", reason="above 1 MB", hint=ODD)
    return Ruling(
        budget=name,
        artifact=f"{ODD}.onnx",
        limit="1 MB",
        level=level,
        judgement=judged,
        line=7,
    )


VERDICT = Verdict(
    rulings=[
        ruling(Outcome.PASS),
        ruling(Outcome.FAIL),
        ruling(Outcome.FAIL, Level.WARN),
        ruling(Outcome.UNCERTAIN, name="latency.ort"),
        ruling(Outcome.UNKNOWN, name="latency.sim:x"),
    ],
    exit_code=1,
    budgets="configs/edgec one.toml",
    why=("size: weights take 2 MB",),
)
EMPTY = Verdict(rulings=[], exit_code=0, budgets="edgec.toml")


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_renders_any_verdict(name: str) -> None:
    for verdict in (VERDICT, EMPTY):
        text = render(name, verdict)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert text.encode()


def test_summary_counts_outcomes() -> None:
    assert VERDICT.summary == "1 pass, 2 fail, 1 uncertain, 1 unknown"
    assert EMPTY.summary == "no budgets"


def test_junit_is_valid_and_counts_errors_apart_from_warnings() -> None:
    for verdict in (VERDICT, EMPTY):
        SCHEMA.validate(render("junit", verdict))
    suite = ET.fromstring(render("junit", VERDICT))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "1", "2")
    verdicts = [[child.tag for child in case] for case in suite]
    assert verdicts == [[], ["failure"], ["system-out"], ["error"], ["error"]]
    assert "2 MB" in (suite[1][0].get("message") or "")


def test_the_schema_refuses_other_layouts() -> None:
    text = render("junit", VERDICT)
    for broken in (text.replace('tests="5" ', ""), text.replace("<failure", "<fail", 1)):
        with pytest.raises((xmlschema.XMLSchemaException, ET.ParseError)):
            SCHEMA.validate(broken)


def test_sarif_is_valid_and_points_at_the_budgets_line() -> None:
    for verdict in (VERDICT, EMPTY):
        Sarif.model_validate_json(render("sarif", verdict))
    run = json.loads(render("sarif", VERDICT))["runs"][0]
    assert [result["level"] for result in run["results"]] == [
        "error",
        "warning",
        "warning",
        "warning",
    ]
    first = run["results"][0]
    assert (
        run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "size.file"
    )
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "configs/edgec%20one.toml"
    assert place["region"] == {"startLine": 7}


def test_markdown_keeps_its_columns() -> None:
    rows = [line for line in render("markdown", VERDICT).splitlines() if line.startswith("| **")]
    assert len(rows) == 5
    assert all(row.replace(r"\|", "").count("|") == 7 for row in rows)
    assert "weights take 2 MB" in render("markdown", VERDICT)


def test_annotations_are_one_line_each() -> None:
    lines = render("github", VERDICT).splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == [
        "::error",
        "::warning",
        "::warning",
        "::warning",
        "::notice",
    ]
    assert "file=configs/edgec one.toml,line=7" in lines[0]
    assert "%0A" in lines[0]


def test_json_holds_everything() -> None:
    tree = json.loads(render("json", VERDICT))
    assert tree["exit_code"] == 1
    assert [r["judgement"]["outcome"] for r in tree["rulings"]] == [
        "pass",
        "fail",
        "fail",
        "uncertain",
        "unknown",
    ]


def test_text_says_what_is_only_a_warning() -> None:
    lines = render("text", VERDICT).splitlines()
    assert sum(line.startswith("FAIL (warn)") for line in lines) == 1
    assert lines[-1] == "size: weights take 2 MB"
