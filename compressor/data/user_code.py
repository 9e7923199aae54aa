"""The user's own Python, run because it was named: ``file.py:function``."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError


def is_code(spec: Path | str) -> bool:
    """Whether *spec* has the form ``file.py:function``."""
    return split(spec)[0].suffix == ".py"


def split(spec: Path | str) -> tuple[Path, str]:
    """Return file and function of ``file.py:function``."""
    file, _, function = str(spec).rpartition(":")
    return Path(file), function


def load_function(spec: Path | str, code: Code) -> Callable[..., Any]:
    """Import the file of *spec* and return its function; failures have *code*.

    The file's folder is importable while it is read, so that it finds its siblings.

    Raises:
        EdgecError: ``DATA_NOT_FOUND`` without the file, *code* when it fails or defines no such
            function.
    """
    file, name = split(spec)
    if not file.is_file():
        raise EdgecError(Code.DATA_NOT_FOUND, f"there is no file '{file.name}'", where=str(file))
    with user_failures(file, code):
        module = _import(file)
    function = getattr(module, name, None)
    if not callable(function):
        own = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise EdgecError(
            code,
            f"'{file.name}' defines no function '{name}'",
            where=str(file),
            expected=nearest(name, own) if own else "a function in that file",
        )
    found: Callable[..., Any] = function
    return found


def _import(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_edgec_user_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {file}")
    module = importlib.util.module_from_spec(spec)
    folder = str(file.absolute().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


@contextmanager
def user_failures(file: Path, code: Code) -> Iterator[None]:
    """Turn whatever the code in *file* raises into an error that names its line."""
    try:
        yield
    except EdgecError:
        raise
    except Exception as error:
        text = str(error).strip().partition("\n")[0]
        raise EdgecError(
            code,
            f"'{file.name}' failed: {type(error).__name__}{': ' if text else ''}{text}",
            where=_place_of(error, file),
        ) from error


def _place_of(error: Exception, file: Path) -> str:
    """Return the deepest line in *file*'s folder where *error* arose."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    folder = file.absolute().parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).absolute().is_relative_to(folder)
        and "site-packages" not in frame.filename
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(file)
