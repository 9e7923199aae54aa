import json
import re
from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError, ExitCode

SOURCES = ("compressor", "exporters", "runtimes", "bench")


@pytest.mark.parametrize("code", list(Code))
def test_code_has_an_identifier_and_an_explanation(code: Code) -> None:
    assert re.fullmatch(r"EC[1-79]\d\d", code.ident)
    assert isinstance(code.exit_code, ExitCode)
    assert code.explanation.endswith(".")
    assert len(code.explanation.split()) >= 6
    assert Code.find(code.ident) is code
    assert Code.find(code.ident.lower()) is code


def test_identifiers_are_unique_and_in_order() -> None:
    identifiers = [code.ident for code in Code]
    assert len(set(identifiers)) == len(identifiers)
    assert identifiers == sorted(identifiers)


def test_unknown_identifier() -> None:
    assert Code.find("EC000") is None


def test_every_code_is_raised_somewhere(repository: Path) -> None:
    """An explanation of something that cannot happen is a promise not kept."""
    files = [path for folder in SOURCES for path in (repository / folder).rglob("*.py")]
    text = "\n".join(path.read_text() for path in files if path.name != "errors.py")
    unused = [code.name for code in Code if not re.search(rf"\b{code.name}\b", text)]
    assert unused == []


def test_message_says_what_where_expected_and_what_to_try() -> None:
    error = EdgecError(Code.USAGE, "this is wrong", where="here", expected="that", hint="do so")
    assert str(error).splitlines() == [
        "error[EC101]: this is wrong",
        "     where: here",
        "  expected: that",
        "       try: do so",
    ]
    assert json.loads(json.dumps(error.to_json())) == {
        "code": "EC101", "what": "this is wrong", "where": "here", "expected": "that",
        "try": "do so",
    }  # fmt: skip


def test_parts_that_are_unknown_are_left_out() -> None:
    assert EdgecError(Code.USAGE, "this is wrong").lines() == ["error[EC101]: this is wrong"]
