"""The settings of a recipe as options of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from compressor.recipe import Recipe
from compressor.settings import Setting, plain, settings_of

Command = TypeVar("Command", bound=Callable[..., Any])


def recipe_options(function: Command) -> Command:
    """Give the command of *function* one option for each setting of a recipe."""
    for known in reversed(settings_of(Recipe)):
        function = click.option(*_names(known), **_form(known))(function)
    return function


def given_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the command line states, parsed, by field.

    Raises:
        EdgecError: ``RECIPE_INVALID``, naming the option.
    """
    stated = {known: options[known.name] for known in settings_of(Recipe)}
    return {
        known.name: _parsed(known, value)
        for known, value in stated.items()
        if value is not None and value != ()
    }


def _parsed(known: Setting, value: Any) -> Any:  # noqa: ANN401 - as many types as fields
    if not known.is_list:
        return known.parse(value, known.option)
    return tuple(word for text in value for word in known.parse(text, known.option))


def _names(known: Setting) -> list[str]:
    return [f"{known.option}/--no-{known.option[2:]}" if known.kind is bool else known.option]


def _form(known: Setting) -> dict[str, Any]:
    """Return how click reads the option; None (nothing for a list) means that it was not given."""
    form: dict[str, Any] = {"default": None, "help": _help(known)}
    if known.kind in (int, float, bool):
        form["type"] = known.kind
    if known.is_list:
        form |= {"multiple": True, "default": ()}
    return form


def _help(known: Setting) -> str:
    default = plain(known.default)
    shown = ",".join(default) if known.is_list else default
    return known.help if known.kind is bool or shown in (None, "") else f"{known.help} [{shown}]"
