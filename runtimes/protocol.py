"""What every runtime offers: ``open_session`` loads an artifact, a session runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Interface, TensorSpec

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]
Outputs = dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """How a runtime executes a model.

    Attributes:
        threads: threads that one inference may use.
        optimize: let the runtime rewrite the graph and pick its fastest kernels; off for checks of
            correctness, which should see the file's operators as they are written.
    """

    threads: int = 1
    optimize: bool = True

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise EdgecError(
                Code.RECIPE_INVALID,
                f"threads is {self.threads}",
                expected="a whole number, 1 or more",
            )


class Session(Protocol):
    """A loaded model, in this process or in a child."""

    @property
    def interface(self) -> Interface:
        """Names, numpy types and shapes as the runtime sees them."""
        ...

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name; ``RUNTIME_REFUSED`` when *feeds* do not fit."""
        ...

    def close(self) -> None:
        """Release the model; the session cannot be used afterwards."""
        ...


class LocalSession(Session, Protocol):
    """A session in this process, which can also be timed without the copying of ``run``."""

    def bind(self, feeds: Feeds) -> Callable[[], object]:
        """Put *feeds* in place and return the function that runs the model on them once."""
        ...


@dataclass(frozen=True, kw_only=True)
class Delegation:
    """How a runtime has split a model between a delegate and its own kernels.

    Attributes:
        delegate: name of the delegate.
        partitions: pieces that the delegate runs; one is best, since each border costs a copy.
        outside: operators that run in the runtime's own kernels, in their order.
    """

    delegate: str
    partitions: int
    outside: tuple[str, ...] = ()


@runtime_checkable
class Delegating(Protocol):
    """A session whose runtime hands parts of a model to a delegate."""

    @property
    def delegation(self) -> Delegation | None:
        """The split; None when no delegate is in use."""
        ...


@runtime_checkable
class Exposing(Protocol):
    """A session whose runtime lets every tensor inside a model be read."""

    def run_exposed(self, feeds: Feeds) -> Outputs:
        """Return every computed tensor by its name in the file, as real numbers."""
        ...


class Runtime(Protocol):
    """What a runtime's module defines.

    Attributes:
        NAME: the target's name.
        SUFFIXES: of the files that it takes.
        OPTIONS: its options: ``SessionOptions``, or a subclass with more fields.
    """

    NAME: str
    SUFFIXES: tuple[str, ...]
    OPTIONS: type[SessionOptions]

    def available(self) -> str | None:
        """Return None when usable here, otherwise the reason and what to install."""
        ...

    def open_session(self, path: Path, options: SessionOptions) -> LocalSession:
        """Load the model at *path*; ``RUNTIME_REFUSED`` when the runtime does not take it."""
        ...


def require_file(path: Path) -> None:
    """Raise ``MODEL_NOT_FOUND`` unless *path* is a file."""
    if not path.is_file():
        raise EdgecError(Code.MODEL_NOT_FOUND, "there is no such model file", where=str(path))


def refused(path: Path, reason: str, *, expected: str = "") -> EdgecError:
    """Return the ``RUNTIME_REFUSED`` error for *path* with the runtime's *reason*, on one line."""
    what = " ".join(reason.split())
    return EdgecError(Code.RUNTIME_REFUSED, what, where=str(path), expected=expected)


def check_feeds(interface: Interface, feeds: Feeds, path: Path) -> None:
    """Raise ``RUNTIME_REFUSED`` unless *feeds* are exactly the inputs, in type and shape."""
    known = [spec.name for spec in interface.inputs]
    for name in feeds:
        if name not in known:
            raise refused(path, f"there is no input '{name}'", expected=nearest(name, known))
    for spec in interface.inputs:
        if spec.name not in feeds:
            raise refused(path, f"input '{spec.name}' is not fed", expected=str(spec))
        check_array(spec, feeds[spec.name], path)


def check_array(spec: TensorSpec, array: Array, path: Path) -> None:
    """Raise ``RUNTIME_REFUSED`` unless *array* has the type and shape of *spec*."""
    if array.dtype != spec.numpy or not spec.accepts(array.shape):
        dims = ", ".join(map(str, array.shape))
        raise refused(path, f"input '{spec.name}' is fed {array.dtype}[{dims}]", expected=str(spec))
