"""The reports that a gate is asked to write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.gate.format import FORMATS
from compressor.catalog import nearest
from compressor.errors import Code, EdgecError


def parse_writes(settings: Sequence[str]) -> dict[Path, str]:
    """Read ``format=file`` settings; return formats by file.

    Raises:
        EdgecError: ``USAGE`` for another form, an unknown format, or a folder that is not there.
    """
    files = {}
    for setting in settings:
        name, _, file = setting.partition("=")
        if not file:
            raise EdgecError(
                Code.USAGE,
                f"cannot read '{setting}'",
                where="--write",
                expected="a format and a file: junit=gate.xml",
            )
        require_format(name, "--write")
        if not Path(file).parent.is_dir():
            raise EdgecError(
                Code.USAGE, f"there is no folder '{Path(file).parent}'", where="--write"
            )
        files[Path(file)] = name
    return files


def require_format(name: str, where: str = "--format") -> None:
    """Raise ``USAGE`` unless *name* is a report format."""
    if name not in FORMATS:
        raise EdgecError(
            Code.USAGE,
            f"there is no format '{name}'",
            where=where,
            expected=nearest(name, list(FORMATS)),
        )
