"""What is wrong with a file, in words that do not advise to load it unsafely."""

import pickle

from .._child.refusal import RefusalError, first_line


def why_unreadable(error: BaseException) -> str:
    """Return what is wrong with a file, without torch's advice to load it unsafely."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is damaged or holds pickled Python objects"
    return str(error) if isinstance(error, RefusalError) else first_line(error)
