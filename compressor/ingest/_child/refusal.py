"""Why a request is refused, and where in the user's code a failure arose."""

import sysconfig
import traceback
from pathlib import Path

Facts = dict[str, str]

_INGEST = str(Path(__file__).parents[1])
_LIBRARIES = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib"))


class RefusalError(Exception):
    """The request cannot be met; *facts* are the parts of the parent's error."""

    def __init__(self, code: str, what: str, **facts: str) -> None:
        super().__init__(what)
        self.facts: Facts = {"code": code, "what": what, **facts}


def first_line(error: BaseException) -> str:
    """Return the type and the first line of the text of *error*."""
    text = str(error).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of(error: BaseException) -> str:
    """Return ``file:line`` of the user's code where *error* arose, as deep as it is known."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((*_LIBRARIES, _INGEST, "<"))]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""
