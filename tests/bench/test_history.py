import json
from pathlib import Path

import pytest

from bench.history import append, latest
from compressor.errors import Code, EdgecError


def test_runs_append_and_the_newest_is_found(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    for number in range(3):
        append(path, {"cells": [], "number": number})
    assert len(path.read_text().splitlines()) == 3
    assert latest(path)["number"] == 2


def test_the_json_of_one_run_serves_as_well(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"cells": [], "number": 7}, indent=2))
    assert latest(path)["number"] == 7


@pytest.mark.parametrize("text", ["", "nonsense", "[1, 2]", '{"cells": 3}'])
def test_what_is_no_benchmark(text: str, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    with pytest.raises(EdgecError) as caught:
        latest(path)
    assert caught.value.code is Code.DATA_UNREADABLE


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        latest(tmp_path / "none")
    assert caught.value.code is Code.DATA_NOT_FOUND
