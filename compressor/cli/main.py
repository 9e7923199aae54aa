"""The command line's frame: finds the commands, and is the one edge where failures are reported.

stdout is data and stderr is talk; every failure is an ``EdgecError`` with its exit code by the
time a person sees it.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import FrameType

import click

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError, ExitCode

COMMANDS = Catalog("compressor.cli", shared=("main",))

_DEBUG = click.Option(
    ["--debug"], is_flag=True, expose_value=False, help="Show the traceback of a failure."
)


class CommandFolder(click.Group):
    """A group whose commands are the files of ``compressor/cli``; each defines ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        """Import and return one command; raises ``USAGE`` naming the nearest one."""
        if cmd_name not in COMMANDS:
            raise EdgecError(
                Code.USAGE,
                f"there is no command '{cmd_name}'",
                where="edgec",
                hint=nearest(cmd_name, list(COMMANDS)),
            )
        command: click.Command = COMMANDS[cmd_name].command
        if _DEBUG not in command.params:
            command.params.append(_DEBUG)
        return command


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"edgec {tool_version()}")
        ctx.exit()


@click.group(
    cls=CommandFolder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def edgec() -> None:
    """Make trained models small and fast for phones and edge boards, and prove it.

    Start with: edgec compile MODEL --data DATA
    """


def tool_version() -> str:
    """Return the installed version of edgec, or "unknown" in a bare source tree."""
    try:
        return version("edgec")
    except PackageNotFoundError:
        return "unknown"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments* (the process's own by default); return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with edgec.make_context("edgec", words.copy()) as context:
            edgec.invoke(context)
            sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        _discard_stdout()
    except (KeyboardInterrupt, click.Abort):
        return report(EdgecError(Code.INTERRUPTED, "interrupted"), words)
    except Exception as error:  # noqa: BLE001 - the process edge: reports everything
        return report(error, words)
    return ExitCode.OK


def report(error: Exception, words: Sequence[str]) -> int:
    """Tell a person (or, with ``--json``, a program) on stderr what failed; return the status."""
    if "--debug" in words:
        traceback.print_exception(error)
    known = as_edgec_error(error)
    text = json.dumps({"error": known.to_json()}) if "--json" in words else str(known)
    click.echo(text, err=True)
    return known.code.exit_code


def as_edgec_error(error: Exception) -> EdgecError:
    """Return *error* in the form that people meet; what nobody expected becomes ``INTERNAL``."""
    if isinstance(error, EdgecError):
        return error
    if isinstance(error, click.ClickException):
        return _usage_error(error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return EdgecError(
            Code.DISK_FULL,
            "the disk is full",
            where=str(error.filename or ""),
            hint="free some space, or choose another folder with -o",
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return EdgecError(
            Code.EXTRA_MISSING,
            f"the package '{error.name}' is not installed",
            hint="install edgec again: pip install --force-reinstall edgec",
        )
    return EdgecError(
        Code.INTERNAL,
        f"{type(error).__name__}: {_first_line(str(error))}".removesuffix(": "),
        hint="run again with --debug for the traceback, and report it",
    )


def _usage_error(error: click.ClickException) -> EdgecError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = context.command_path if context else "edgec"
    if isinstance(error, click.NoSuchOption) and context:
        names = [name for param in context.command.params for name in param.opts]
        options = [name for name in names if name.startswith("-")]
        what = f"there is no option '{error.option_name}'"
        return EdgecError(Code.USAGE, what, where=where, hint=nearest(error.option_name, options))
    what = error.format_message().rstrip(".")
    hint = f"{where} --help"
    return EdgecError(Code.USAGE, what[:1].lower() + what[1:], where=where, hint=hint)


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    """Let a polite kill clean up as Ctrl-C does."""
    raise KeyboardInterrupt


def _discard_stdout() -> None:
    """The reader of our output has gone (``edgec ... | head``), which is no failure."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
