import json
import sys

import pytest

from compressor.cli.main import main
from runtimes import estimate
from runtimes.remote.target import kinds
from runtimes.targets import runtimes
from tests.ssh_server import Server


def test_every_target_is_listed_with_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "--json"]) == 0
    listed = {row["target"]: row for row in json.loads(capsys.readouterr().out)}
    devices = {kind.FORM for kind in kinds().values()}
    assert set(listed) == {*runtimes(), *estimate.targets(), *devices}
    assert listed["ort"]["missing"] is None
    assert main(["targets"]) == 0
    assert capsys.readouterr().out.count("\n") == len(listed)


def test_a_device_is_asked_what_it_is(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", server.target(python=sys.executable)]) == 0
    said = capsys.readouterr().out
    assert "cores" in said
    assert "ort (onnxruntime)" in said


def test_what_names_no_device_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", "ort"]) == 2
    assert "ssh://user@host" in capsys.readouterr().err
