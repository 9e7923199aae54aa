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
from compressor.project import Project, read_project
from compressor.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Order:
    """The arguments of one compilation; see ``compile_model``."""

    model: str
    output: Path
    data: Path | Description | None
    recipe: Recipe
    ingest: IngestOptions
    budgets: Sequence[Budget] = ()


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
    )


def _no_model(where: str, expected: str) -> EdgecError:
    return EdgecError(Code.USAGE, "no model is named", where=where, expected=expected)


def _stem(model: str) -> str:
    """Name the output after the file: ``net.onnx`` and ``net.py:build`` give ``net``."""
    return Path(model.rpartition(":")[0] or model).stem
