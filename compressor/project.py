"""``edgec.toml``: one file that says what to compile, how, and within which budgets.

    [model]     path, weights, input_shape
    [data]      the keys of a data description
    [quantize] [export] [measure] ...   the settings of a recipe
    [budgets]   see ``bench/gate``
    [gate]      baseline: a folder that `edgec baseline` made

Paths are relative to the file. Unknown keys are refused, naming the line and the nearest key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gate.budget import Budget, read_budgets
from compressor.catalog import nearest
from compressor.data.description import Description, description_of
from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions, parse_input_shapes
from compressor.recipe import Recipe
from compressor.settings import Setting, settings_of
from compressor.toml_lines import Path as KeyPath
from compressor.toml_lines import key_lines, line_of

DEFAULT_NAME = "edgec.toml"

_MOST_BYTES = 1 << 20
_MODEL_KEYS = ("path", "weights", "input_shape")
_OUTPUT = "output"
_BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class Project:
    """The content of a project file.

    Attributes:
        file: where it lies.
        model: what to compile, as on the command line; None when it is not stated.
        ingest: what the source does not say.
        data: the samples; a path where the file names a data description.
        output: folder of the artifacts; None when it is not stated.
        settings: settings of the recipe that are stated, by field.
        budgets: limits on what comes out.
        baseline: folder that changes are counted from; None when it is not stated.
    """

    file: Path
    model: str | None
    ingest: IngestOptions
    data: Path | Description | None
    output: Path | None
    settings: Mapping[str, Any]
    budgets: tuple[Budget, ...]
    baseline: Path | None


def read_project(file: Path) -> Project:
    """Read a project file.

    Raises:
        EdgecError: ``RECIPE_INVALID`` for a file that is missing, no TOML, or holds an unknown key
            or a wrong value; a 3xx code for data that does not exist.
    """
    text = _read(file)
    return _Reader(file, tomllib.loads(text), key_lines(text)).project()


def require_budgets(project: Project) -> tuple[Budget, ...]:
    """Return the budgets of *project*; ``RECIPE_INVALID`` when it states none."""
    if project.budgets:
        return project.budgets
    raise EdgecError(
        Code.RECIPE_INVALID,
        "the file states no budgets",
        where=str(project.file),
        expected='[budgets] with limits such as size.file = "1 MB"',
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        text = content.decode()
        tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"cannot read the project file: {error}",
            where=str(file),
            hint="`edgec init MODEL` writes one",
        ) from error
    if len(content) > _MOST_BYTES:
        raise EdgecError(Code.RECIPE_INVALID, "the file is too long", where=str(file))
    return text


class _Reader:
    """Reads the tables of one file; knows where each key stands."""

    def __init__(self, file: Path, tables: Mapping[str, Any], lines: dict[KeyPath, int]) -> None:
        self._file = file
        self._tables = tables
        self._lines = lines

    def project(self) -> Project:
        recipe = {known.key: known for known in settings_of(Recipe)}
        sections = {key.partition(".")[0] for key in recipe} | {"model", "data", "budgets", "gate"}
        self._check_keys((), self._tables, sorted(sections))
        model, gate = self._table("model"), self._table("gate")
        self._check_keys(("model",), model, _MODEL_KEYS)
        self._check_keys(("gate",), gate, (_BASELINE,))
        baseline = self._beside(gate.get(_BASELINE), ("gate", _BASELINE))
        settings = dict(self._settings(recipe))
        Recipe(**settings)  # refuses values that do not go together
        output = self._beside(self._table("export").get(_OUTPUT), ("export", _OUTPUT))
        return Project(
            file=self._file,
            model=self._beside(model.get("path"), ("model", "path")),
            ingest=self._ingest(model),
            data=self._data(),
            output=None if output is None else Path(output),
            settings=settings,
            budgets=tuple(read_budgets(self._table("budgets"), self._locate, ("budgets",))),
            baseline=None if baseline is None else Path(baseline),
        )

    def _settings(self, recipe: Mapping[str, Setting]) -> Iterator[tuple[str, Any]]:
        for section in sorted({key.partition(".")[0] for key in recipe}):
            keys = [key.partition(".")[2] for key in recipe if key.startswith(f"{section}.")]
            extra = [_OUTPUT] if section == "export" else []
            table = self._table(section)
            self._check_keys((section,), table, [*keys, *extra])
            for key in keys:
                if key in table:
                    known = recipe[f"{section}.{key}"]
                    yield known.name, known.parse(table[key], self._where((section, key)))

    def _ingest(self, model: Mapping[str, Any]) -> IngestOptions:
        weights = self._beside(model.get("weights"), ("model", "weights"))
        shapes = model.get("input_shape", [])
        if not isinstance(shapes, list) or not all(isinstance(s, str) for s in shapes):
            raise self._invalid(("model", "input_shape"), shapes, '["x=1,3,224,224"]')
        return IngestOptions(
            weights=None if weights is None else Path(weights),
            input_shapes=parse_input_shapes(shapes),
        )

    def _data(self) -> Path | Description | None:
        table = self._table("data")
        if not table:
            return None
        path = table.get("path")
        if isinstance(path, str) and path.endswith(".toml") and len(table) == 1:
            return self._file.parent / path
        return description_of(table, self._file)

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self._tables.get(name, {})
        if not isinstance(table, Mapping):
            raise self._invalid((name,), table, f"a table: [{name}]")
        return table

    def _check_keys(self, path: KeyPath, table: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                raise EdgecError(
                    Code.RECIPE_INVALID,
                    f"unknown key '{'.'.join((*path, key))}'",
                    where=self._where((*path, key)),
                    expected=nearest(key, [*known]),
                )

    def _beside(self, value: object, path: KeyPath) -> str | None:
        """Return the path *value*, which is relative to the file's folder."""
        return None if value is None else str(self._file.parent / self._text(value, path))

    def _text(self, value: object, path: KeyPath) -> str:
        if not isinstance(value, str) or not value:
            raise self._invalid(path, value, "text")
        return value

    def _locate(self, path: KeyPath) -> tuple[str, int]:
        return self._where(path), line_of(path, self._lines)

    def _where(self, path: KeyPath) -> str:
        return f"{self._file}, line {line_of(path, self._lines)}"

    def _invalid(self, path: KeyPath, value: object, expected: str) -> EdgecError:
        what = f"'{'.'.join(path)}' is {value!r}"
        return EdgecError(Code.RECIPE_INVALID, what, where=self._where(path), expected=expected)
