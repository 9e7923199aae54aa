"""Where keys stand in a TOML text, which parsers do not tell and messages should."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_KEYS})\s*\]\]?\s*(?:#.*)?")
_ENTRY = re.compile(rf"\s*({_KEYS})\s*=\s*(.*)", re.DOTALL)
_INLINE = re.compile(rf"[{{,]\s*({_KEYS})\s*=")


def key_lines(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each key path in the TOML *text*, which is known to be valid.

    Keys of inline tables are found on their entry's first line. Lines inside of multi-line strings
    may look like entries; they can only add paths that no table has.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            table = _path(header[1])
            _note(lines, table, number)
        elif entry := _ENTRY.fullmatch(line):
            path = (*table, *_path(entry[1]))
            _note(lines, path, number)
            for inner in _inline_keys(entry[2]):
                _note(lines, (*path, *inner), number)
    return lines


def line_of(path: Path, lines: dict[Path, int]) -> int:
    """Return the line of *path*, or of the nearest table around it; 0 where nothing is known."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _note(lines: dict[Path, int], path: Path, number: int) -> None:
    for length in range(1, len(path) + 1):
        lines.setdefault(path[:length], number)


def _inline_keys(value: str) -> Iterator[Path]:
    if value.lstrip().startswith("{"):
        for found in _INLINE.finditer(value):
            yield _path(found[1])


def _path(keys: str) -> Path:
    return tuple(_bare(found[0]) for found in re.finditer(_KEY, keys))


def _bare(key: str) -> str:
    if key.startswith('"'):
        return re.sub(r"\\(.)", r"\1", key[1:-1])
    return key[1:-1] if key.startswith("'") else key
