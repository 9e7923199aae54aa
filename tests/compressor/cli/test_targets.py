import json

import pytest

from compressor.cli.main import main
from runtimes import estimate
from runtimes.targets import runtimes


def test_every_target_is_listed_with_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "--json"]) == 0
    listed = {row["target"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(listed) == {*runtimes(), *estimate.targets()}
    assert listed["ort"]["missing"] is None
    assert main(["targets"]) == 0
    assert capsys.readouterr().out.count("\n") == len(listed)
