import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from compressor.catalog import Catalog
from compressor.cli import main as frame
from compressor.cli.main import main
from compressor.errors import Code, EdgecError, ExitCode

EDGEC = [sys.executable, "-m", "compressor.cli.main"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Give `edgec fail` a body that raises."""

    def install(error: BaseException) -> None:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def command(**_: object) -> None:
            raise error

        monkeypatch.setattr(frame, "COMMANDS", {"fail": SimpleNamespace(command=command)})

    return install


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == ExitCode.OK
    out = capsys.readouterr().out
    for name in Catalog("compressor.cli", shared=("main",)):
        assert f"\n  {name} " in out


def every_command() -> Iterator[list[str]]:
    """Yield the words of every command; those of a group in place of the group."""
    for name, module in frame.COMMANDS.items():
        if isinstance(module.command, click.Group):
            yield from ([name, inner] for inner in module.command.commands)
        else:
            yield [name]


def test_every_command_has_help_and_the_debug_switch(capsys: pytest.CaptureFixture[str]) -> None:
    for words in every_command():
        assert main([*words, "--help"]) == ExitCode.OK
        out = capsys.readouterr().out
        assert "--json" in out
        assert out.count("--debug") == (len(words) == 1)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("edgec ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compil"], "did you mean 'compile'?"),
        (["explain", "--jsn"], "did you mean '--json'?"),
        (["explain", "EC201", "EC202"], "unexpected extra argument"),
        (["compile"], "no model is named"),
        (["inspect"], "missing argument 'MODEL'"),
        (["--nonsense"], "no option '--nonsense'"),
        (["compile", "m.onnx", "--calib-samples", "many"], "'many'"),
    ],
)
def test_usage_errors_have_the_form_of_all_errors(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == ExitCode.USER
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[EC101]: ")
    assert said in err


def test_known_errors_give_their_lines_and_status(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    error = EdgecError(Code.RUNTIME_CRASHED, "it died", where="here", hint="rest")
    failing(error)
    assert main(["fail"]) == ExitCode.ENVIRONMENT
    assert capsys.readouterr() == ("", f"{error}\n")


def test_errors_are_json_when_the_output_is(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(EdgecError(Code.DATA_EMPTY, "nothing", where="here"))
    assert main(["fail", "--json"]) == ExitCode.USER
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["error"] == {
        "code": "EC307",
        "what": "nothing",
        "where": "here",
        "expected": "",
        "try": "",
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), Code.INTERRUPTED),
        (click.Abort(), Code.INTERRUPTED),
        (OSError(errno.ENOSPC, "No space left on device", "model.onnx"), Code.DISK_FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Code.DISK_FULL),
        (ModuleNotFoundError("No module named 'onnx'", name="onnx"), Code.EXTRA_MISSING),
        (OSError(errno.EIO, "Input/output error"), Code.INTERNAL),
        (ValueError("first\nsecond"), Code.INTERNAL),
        (MemoryError(), Code.INTERNAL),
        (RecursionError(), Code.INTERNAL),
    ],
)
def test_other_failures_become_one_of_ours_without_a_traceback(
    error: BaseException,
    code: Code,
    failing: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(error)
    assert main(["fail"]) == ExitCode.ENVIRONMENT
    err = capsys.readouterr().err
    assert err.startswith(f"error[{code.ident}]: ")
    assert "Traceback" not in err
    assert "second" not in err


def test_debug_shows_the_traceback_too(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(ValueError("odd"))
    assert main(["fail", "--debug"]) == ExitCode.ENVIRONMENT
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-2].startswith("error[EC999]: ValueError: odd")


def test_status_of_a_command_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.pass_context
    def command(context: click.Context) -> None:
        context.exit(ExitCode.BUDGET)

    monkeypatch.setattr(frame, "COMMANDS", {"judge": SimpleNamespace(command=command)})
    assert main(["judge"]) == ExitCode.BUDGET


def test_reader_that_goes_away_is_no_failure(repository: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*EDGEC, "explain", "--json"],
        cwd=repository,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (ExitCode.OK, b"")


SLEEPER = """
import sys, time
from types import SimpleNamespace
import click
from compressor.cli import main as frame

@click.command()
def command():
    print("ready", flush=True)
    time.sleep(60)

frame.COMMANDS = {"sleep": SimpleNamespace(command=command)}
sys.exit(frame.main(["sleep"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_polite_kill_is_reported_as_an_interruption(
    repository: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.ENVIRONMENT
    assert err == "error[EC903]: interrupted\n"
