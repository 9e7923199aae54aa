"""What a compilation is asked for: the command line, over the project file where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gate.budget import Budget
from compressor.cli._recipe_options import given_settings
from compressor.data.description import Description
from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions, parse_input_shapes
from compressor.lock import SUFFIX, check_lock, read_lock, write_lock
from compressor.project import Project, read_project
from compressor.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Order:
    """The arguments of one compilation; see ``compile_model``.

    Attributes:
        lock: the lock file of the project that is compiled as it stands.
        locked: its content, where the compilation must give the same.
    """

    model: str
    output: Path
    data: Path | Description | None
    recipe: Recipe
    ingest: IngestOptions
    budgets: Sequence[Budget] = ()
    lock: Path | None = None
    locked: Mapping[str, Any] | None = None

    def approve(self, report: Mapping[str, Any]) -> None:
        """Raise ``LOCK_MISMATCH`` unless *report* is what was locked, if anything was."""
        if self.lock is not None and self.locked is not None:
            check_lock(self.locked, report, self.lock)

    def keep_lock(self, report: Mapping[str, Any]) -> None:
        """Write the lock of a project's compilation, unless it was held against one."""
        if self.lock is not None and self.locked is None:
            write_lock(self.lock, report)


def order_of(options: Mapping[str, Any]) -> Order:
    """Return what the *options* of ``edgec compile`` ask for.

    A file's model, weights and input shapes belong together, and its data and budgets to that
    model: another MODEL on the command line takes none of them, only the settings.

    Raises:
        EdgecError: ``USAGE`` without a model, and those of ``read_project``.
    """
    project = None if options["file"] is None else read_project(options["file"])
    given = given_settings(options)
    if project is None or options["model"]:
        settings = {**(project.settings if project else {}), **given}
        return _from_options(options, Recipe(**settings))
    return _from_project(project, options, Recipe(**{**project.settings, **given}))


def _from_options(options: Mapping[str, Any], recipe: Recipe) -> Order:
    model = options["model"]
    if not model:
        raise _no_model("edgec compile", "a MODEL, or a --recipe that states one")
    if options["locked"]:
        raise EdgecError(
            Code.USAGE,
            "--locked is about a project file's own model",
            where="--locked",
            expected="--recipe edgec.toml without another MODEL",
        )
    return Order(
        model=model,
        output=options["output"] or Path(f"{_stem(model)}-edgec"),
        data=options["data"],
        recipe=recipe,
        ingest=IngestOptions(
            weights=options["weights"], input_shapes=parse_input_shapes(options["input_shape"])
        ),
    )


def _from_project(project: Project, options: Mapping[str, Any], recipe: Recipe) -> Order:
    if project.model is None:
        raise _no_model(str(project.file), '[model] with path = "..."')
    shapes = parse_input_shapes(options["input_shape"])
    lock = project.file.with_suffix(SUFFIX)
    default = project.output or project.file.parent / f"{_stem(project.model)}-edgec"
    return Order(
        model=project.model,
        output=options["output"] or default,
        data=options["data"] or project.data,
        recipe=recipe,
        ingest=IngestOptions(
            weights=options["weights"] or project.ingest.weights,
            input_shapes=shapes or project.ingest.input_shapes,
        ),
        budgets=project.budgets,
        lock=lock,
        locked=read_lock(lock) if options["locked"] else None,
    )


def _no_model(where: str, expected: str) -> EdgecError:
    return EdgecError(Code.USAGE, "no model is named", where=where, expected=expected)


def _stem(model: str) -> str:
    """Name the output after the file: ``net.onnx`` and ``net.py:build`` give ``net``."""
    return Path(model.rpartition(":")[0] or model).stem
