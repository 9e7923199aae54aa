"""Native code that may abort on hostile input is tried in a process that may die of it."""

from __future__ import annotations

import os
import resource
import signal
import time
import warnings
from collections.abc import Callable

_SECONDS = 120.0
_POLL = 0.001


def survives(action: Callable[[], object]) -> bool:
    """Whether *action* neither kills its process nor hangs; what it returns or raises is dropped.

    The process is forked: it sees all data without a copy, and lasts as long as the action.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # no lock of ours is held here
        child = os.fork()
    if child == 0:
        _run_and_leave(action)
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return not os.WIFSIGNALED(status)
        time.sleep(_POLL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_and_leave(action: Callable[[], object]) -> None:
    """Run *action* silently and end the process without any clean-up of its parent's things."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        signal.signal(signal.SIGABRT, signal.SIG_DFL)
        action()
    finally:
        os._exit(0)
