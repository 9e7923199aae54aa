import json

import pytest

from compressor.cli.main import main
from compressor.errors import Code, ExitCode


@pytest.mark.parametrize("code", Code)
def test_every_code_is_explained(code: Code, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code.ident.lower()]) == ExitCode.OK
    out = capsys.readouterr().out
    assert out.startswith(f"{code.ident}: ")
    assert f"exit status {int(code.exit_code)}" in out
    assert " ".join(out.split()).endswith(" ".join(code.explanation.split()))


def test_all_codes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [code.ident for code in Code]


def test_json_has_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "EC307"]) == ExitCode.OK
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry == {
        "code": "EC307",
        "name": "data empty",
        "exit_status": 2,
        "explanation": Code.DATA_EMPTY.explanation,
    }


def test_unknown_code_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "EC30"]) == ExitCode.USER
    err = capsys.readouterr().err
    assert err.startswith("error[EC105]: ")
    assert "did you mean 'EC3" in err


def test_codes_are_unique() -> None:
    assert len({code.ident for code in Code}) == len(Code)
