import tomllib
from typing import Any

import pytest

from compressor.toml_lines import key_lines, line_of

TEXT = """\
# a comment
[model]
path = "net.onnx"

[budgets]
size.file = "1 MB"
latency."sim:raspberry-pi-4" = "12 ms"
max_drop.top1 = { limit = "0.5 pt", level = "warn" }

[budgets.artifact.'*.tflite']
size.file = "2 MB" # its own
list = [
  "a",
]
"""


def leaves(table: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(table, dict):
        return [path]
    return [leaf for key, value in table.items() for leaf in leaves(value, (*path, key))]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("model",), 2),
        (("model", "path"), 3),
        (("budgets", "size", "file"), 6),
        (("budgets", "latency", "sim:raspberry-pi-4"), 7),
        (("budgets", "max_drop", "top1", "level"), 8),
        (("budgets", "artifact", "*.tflite"), 10),
        (("budgets", "artifact", "*.tflite", "size", "file"), 11),
    ],
)
def test_lines(path: tuple[str, ...], line: int) -> None:
    assert key_lines(TEXT)[path] == line


def test_every_key_of_the_text_is_found() -> None:
    found = key_lines(TEXT)
    assert all(leaf in found for leaf in leaves(tomllib.loads(TEXT)))


def test_the_table_around_a_missing_key_is_named() -> None:
    lines = key_lines(TEXT)
    assert line_of(("model", "pth"), lines) == 2
    assert line_of(("export", "to"), lines) == 0


def test_escapes_in_quoted_keys() -> None:
    assert key_lines('"a\\"b" = 1') == {('a"b',): 1}
