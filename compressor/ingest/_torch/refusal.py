"""Why a request is refused, and where in the user's code a failure arose."""

import inspect
import pickle
import traceback
from pathlib import Path

import torch

Facts = dict[str, str]


class RefusalError(Exception):
    """The request cannot be met; *facts* are the parts of the parent's error."""

    def __init__(self, code: str, what: str, **facts: str) -> None:
        super().__init__(what)
        self.facts: Facts = {"code": code, "what": what, **facts}


def first_line(error: BaseException) -> str:
    """Return the type and the first line of the text of *error*."""
    text = str(error).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def why_unreadable(error: BaseException) -> str:
    """Return what is wrong with a file, without torch's advice to load it unsafely."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is damaged or holds pickled Python objects"
    return str(error) if isinstance(error, RefusalError) else first_line(error)


def place_of(error: BaseException) -> str:
    """Return ``file:line`` of the user's code where *error* arose, as deep as it is known."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    libraries = (str(Path(torch.__file__).parent), str(Path(inspect.__file__).parent), "<")
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((*libraries, str(Path(__file__).parent)))]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""
