"""Damaged files are refused in words: no crash, no hang, no runaway memory, no traceback.

``make fuzz`` runs many more of them.
"""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compressor.errors import Code, EdgecError
from compressor.ingest.tflite.importer import import_bytes
from tests.compressor.ingest.tflite.cases import CASES
from tests.compressor.ingest.tflite.integer_cases import CASES as INTEGER_CASES

EXAMPLES = max(200, settings().max_examples)
SECONDS = 5.0
MEGABYTES = 512
REFUSALS = {Code.MODEL_UNREADABLE, Code.MODEL_TOO_LARGE, Code.MODEL_UNSUPPORTED}
# Numbers that overflow, wrap or reach far.
NASTY = (0, 1, 2, 4, 127, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1)


@cache
def originals() -> tuple[bytes, ...]:
    return tuple(make() for make in (*CASES.values(), *INTEGER_CASES.values()))


def mutated(seed: int) -> bytes:
    """Return a file with bytes flipped, cut off, spliced, or numbers in it changed."""
    rng = np.random.default_rng(seed)
    files = originals()
    data = bytearray(files[rng.integers(len(files))])
    match rng.integers(5):
        case 0:
            for _ in range(rng.integers(1, 9)):
                data[rng.integers(len(data))] = rng.integers(256)
        case 1:
            del data[rng.integers(len(data)) :]
        case 2:
            other, size = files[rng.integers(len(files))], int(rng.integers(1, 200))
            start, source = (int(rng.integers(len(file))) for file in (data, other))
            data[start : start + size] = other[source : source + size]
        case 3:
            for _ in range(rng.integers(1, 4)):
                start = int(rng.integers(len(data) - 4))
                data[start : start + 4] = int(rng.choice(NASTY)).to_bytes(4, "little")
        case _:
            for _ in range(rng.integers(1, 4)):
                start = int(rng.integers(len(data) - 4))
                number = int.from_bytes(data[start : start + 4], "little")
                changed = (number + int(rng.integers(-5, 6))) % 2**32
                data[start : start + 4] = changed.to_bytes(4, "little")
    return bytes(data)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise ``TimeoutError`` when the block takes longer."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def resident_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def refusal_of(data: bytes) -> EdgecError | None:
    try:
        import_bytes(data)
    except EdgecError as refusal:
        return refusal
    return None


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1))
def test_damaged_files_are_refused_or_read(seed: int) -> None:
    data, before = mutated(seed), resident_megabytes()
    with bounded(SECONDS):
        refusal = refusal_of(data)
    assert refusal is None or refusal.code in REFUSALS
    assert resident_megabytes() - before <= MEGABYTES
