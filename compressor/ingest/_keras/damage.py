"""How a file that cannot be read is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from .._child.refusal import RefusalError, first_line

# Sizes that a file may declare: in all, and in relation to what it takes on disk. Small members
# may be of any ratio: constant tensors compress a thousandfold.
LARGEST = 16 << 30
EXPANSION = 200
HARMLESS = 256 << 20


def unreadable(what: str, why: str) -> RefusalError:
    """Return the refusal of a file that is no *what*."""
    return RefusalError(
        "MODEL_UNREADABLE",
        f"this is not a readable {what}: {why}",
        expected=f"a {what} as Keras or TensorFlow wrote it",
        hint="copy or save it again",
    )


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn any failure of the libraries that read a *what* into a refusal."""
    try:
        yield
    except RefusalError:
        raise
    except Exception as error:
        raise unreadable(what, first_line(error)) from error


def check_size(what: str, declared: int, stored: int) -> None:
    """Refuse a file that declares far more bytes than it holds, or more than fit."""
    if declared > LARGEST or (declared > HARMLESS and declared > EXPANSION * max(1, stored)):
        raise RefusalError(
            "MODEL_TOO_LARGE",
            f"the {what} declares {declared:,} bytes in {stored:,}",
            expected=f"at most {LARGEST >> 30} GiB, and {EXPANSION} times what is stored",
        )
