import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compressor import files
from compressor.errors import Code, EdgecError
from compressor.files import MARKER, OutputFolder, replace_files, write_atomically


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def build(path: Path, content: dict[str, str]) -> None:
    with OutputFolder(path) as out:
        for name, text in content.items():
            file = out.building / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def content_of(path: Path) -> dict[str, str]:
    found = [file for file in path.rglob("*") if file.is_file() and file.name != MARKER]
    return {file.relative_to(path).as_posix(): file.read_text() for file in found}


def test_folder_appears_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    build(tmp_path / "deep" / "out", {"model.onnx": "m", "extra/report.json": "{}"})
    assert content_of(tmp_path / "deep" / "out") == {"model.onnx": "m", "extra/report.json": "{}"}
    assert names_in(tmp_path / "deep") == ["out"]


def test_folder_is_invisible_until_done(tmp_path: Path) -> None:
    with OutputFolder(tmp_path / "out") as out:
        (out.building / "model.onnx").write_text("half")
        assert not (tmp_path / "out").exists()
        assert out.building.parent == tmp_path
        assert out.building.name.startswith(".")


def test_earlier_result_is_replaced_entirely(tmp_path: Path) -> None:
    build(tmp_path / "out", {"model.onnx": "old", "model.tflite": "old"})
    build(tmp_path / "out", {"model.onnx": "new"})
    assert content_of(tmp_path / "out") == {"model.onnx": "new"}
    assert names_in(tmp_path) == ["out"]


def test_failure_keeps_the_earlier_result(tmp_path: Path) -> None:
    build(tmp_path / "out", {"model.onnx": "old"})
    out = OutputFolder(tmp_path / "out")
    with pytest.raises(ZeroDivisionError), out:
        (out.building / "model.onnx").write_text(str(1 / 0))
    assert content_of(tmp_path / "out") == {"model.onnx": "old"}
    assert names_in(tmp_path) == ["out"]


def test_replacing_works_where_folders_cannot_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_exchange", lambda *_: False)
    build(tmp_path / "out", {"model.onnx": "old", "model.tflite": "old"})
    build(tmp_path / "out", {"model.onnx": "new", "deep/report.json": "{}"})
    assert content_of(tmp_path / "out") == {"model.onnx": "new", "deep/report.json": "{}"}
    build(tmp_path / "out", {"model.onnx": "newest"})
    assert content_of(tmp_path / "out") == {"model.onnx": "newest"}


def test_replace_files_never_leaves_a_truncated_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        for name in "abc":
            (folder / name).write_text(folder.name)
    moved = []

    def die_at_second(self: Path, target: Path) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append(target)
        self.rename(target)

    monkeypatch.setattr(Path, "replace", die_at_second)
    with pytest.raises(KeyboardInterrupt):
        replace_files(new, old)
    assert content_of(old) == {"a": "new", "b": "old", "c": "old"}


@pytest.mark.parametrize("marked", [False, True])
def test_foreign_file_is_never_overwritten(tmp_path: Path, marked: bool) -> None:
    if marked:
        build(tmp_path / "out", {"model.onnx": "old"})
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    with pytest.raises(EdgecError, match=r"thesis\.txt") as caught, OutputFolder(tmp_path / "out"):
        pytest.fail("entered")
    assert caught.value.code is Code.OUTPUT_EXISTS
    assert (tmp_path / "out" / "thesis.txt").read_text() == "precious"


def test_foreign_file_that_arrives_meanwhile_is_kept(tmp_path: Path) -> None:
    build(tmp_path / "out", {"model.onnx": "old"})
    with pytest.raises(EdgecError) as caught, OutputFolder(tmp_path / "out"):
        (tmp_path / "out" / "thesis.txt").write_text("precious")
    assert caught.value.code is Code.OUTPUT_EXISTS
    assert content_of(tmp_path / "out") == {"model.onnx": "old", "thesis.txt": "precious"}


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    build(tmp_path / "out", {"model.onnx": "m"})
    assert content_of(tmp_path / "out") == {"model.onnx": "m"}


def test_source_inside_the_output_is_refused(tmp_path: Path) -> None:
    build(tmp_path / "out", {"model.onnx": "m"})
    source = tmp_path / "out" / "model.onnx"
    with pytest.raises(EdgecError, match="source"), OutputFolder(source.parent, sources=[source]):
        pytest.fail("entered")
    assert source.read_text() == "m"


def test_damaged_marker_makes_the_files_foreign(tmp_path: Path) -> None:
    build(tmp_path / "out", {"model.onnx": "m"})
    for damage in ("", "[]", '{"files": 3}', "\x00"):
        (tmp_path / "out" / MARKER).write_text(damage)
        with pytest.raises(EdgecError), OutputFolder(tmp_path / "out"):
            pytest.fail("entered")


def test_output_below_a_file_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(EdgecError) as caught, OutputFolder(path):
            pytest.fail("entered")
        assert caught.value.code is Code.OUTPUT_UNWRITABLE


def test_full_disk_is_not_called_unwritable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "put_in_place", full)
    with pytest.raises(OSError, match="No space") as caught, OutputFolder(tmp_path / "out"):
        pass
    assert caught.value.errno == errno.ENOSPC
    assert names_in(tmp_path) == []


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    build(tmp_path / "out", {"model.onnx": "m"})
    assert (tmp_path / "out").is_symlink()
    assert content_of(tmp_path / "disk") == {"model.onnx": "m"}


WRITER = """
import sys, time
from pathlib import Path
from compressor.files import OutputFolder
with OutputFolder(Path(sys.argv[1])) as out:
    (out.building / "model.onnx").write_text("half")
    print("building", flush=True)
    time.sleep(60)
"""


def start_writer(path: Path, repository: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=repository,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    return process


def test_killed_run_leaves_the_old_result_and_is_cleaned_up_by_the_next(
    tmp_path: Path, repository: Path
) -> None:
    build(tmp_path / "out", {"model.onnx": "old"})
    process = start_writer(tmp_path / "out", repository)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert content_of(tmp_path / "out") == {"model.onnx": "old"}
    assert len(names_in(tmp_path)) == 2
    build(tmp_path / "out", {"model.onnx": "new"})
    assert names_in(tmp_path) == ["out"]


def test_run_of_another_living_process_is_left_alone(tmp_path: Path, repository: Path) -> None:
    process = start_writer(tmp_path / "out", repository)
    try:
        build(tmp_path / "out", {"model.onnx": "new"})
        assert len(names_in(tmp_path)) == 2
    finally:
        process.kill()
        process.wait()


SWAPPER = """
import sys
from pathlib import Path
from compressor.files import OutputFolder
for turn in range(100000):
    with OutputFolder(Path(sys.argv[1])) as out:
        for name in "ab":
            (out.building / name).write_text(str(turn))
    print("turn", flush=True)
"""


def test_kill_at_any_moment_leaves_one_consistent_result(tmp_path: Path, repository: Path) -> None:
    for delay in (0.0, 0.0013, 0.0027, 0.0041):
        process = subprocess.Popen(
            [sys.executable, "-c", SWAPPER, str(tmp_path / "out")],
            cwd=repository,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.communicate()
        content = content_of(tmp_path / "out")
        assert set(content) == {"a", "b"}
        assert content["a"] == content["b"]


def test_write_atomically_replaces_and_cleans_up(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"1")
    write_atomically(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"2"
    assert names_in(tmp_path) == ["a"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path / "folder", b"3")
    assert names_in(tmp_path) == ["a", "folder"]


def test_marker_lists_itself_and_every_file(tmp_path: Path) -> None:
    build(tmp_path / "out", {"b": "", "a/c": ""})
    assert json.loads((tmp_path / "out" / MARKER).read_text())["files"] == [MARKER, "a/c", "b"]


def test_large_foreign_folder_is_refused_at_its_first_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        yield str(folder), ["photos"], ["diary.txt"]
        pytest.fail("walked on")

    monkeypatch.setattr(files.os, "walk", home)
    with pytest.raises(EdgecError, match=r"diary\.txt"), OutputFolder(tmp_path):
        pytest.fail("entered")


def test_link_to_a_folder_is_foreign(tmp_path: Path) -> None:
    build(tmp_path / "out", {"model.onnx": "m"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EdgecError, match="link"), OutputFolder(tmp_path / "out"):
        pytest.fail("entered")
