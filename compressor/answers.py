"""What models answer to the same samples: all at once, or one after the other where they are large.

A model beyond ``LARGE_MODEL_BYTES`` has the memory to itself, and the runtime's optimiser off: it
would keep constants twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.evaluation import Batch, Samples
from compressor.progress import Progress
from runtimes.isolate import RemoteSession
from runtimes.protocol import Outputs, SessionOptions

LARGE_MODEL_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One model that answers.

    Attributes:
        open: loads it.
        feeds: from samples of the source to what it takes.
        outputs: from what it gives to real numbers of the source's outputs.
    """

    open: Callable[[SessionOptions], RemoteSession]
    feeds: Callable[[Batch], Batch]
    outputs: Callable[[Outputs], Outputs]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An entrant's session, which is closed already for a large model, and its answers."""

    session: RemoteSession
    outputs: Outputs


def is_large(model: ir.Model) -> bool:
    """Whether the constants of *model* are too large to be held more than once."""
    tensors = [value.const_value for value in model.graph.initializers.values()]
    plain = [t for t in tensors if t is not None and t.dtype is not ir.DataType.STRING]
    return sum(tensor.nbytes for tensor in plain) > LARGE_MODEL_BYTES


def answers_of(
    entrants: Sequence[Entrant], samples: Samples, progress: Progress, *, large: bool
) -> list[Answered]:
    """Return what each of *entrants* answers on all samples.

    Raises:
        EdgecError: a 6xx code when a runtime cannot load or run one.
    """
    options = SessionOptions(optimize=not large)
    if not large:
        sessions = [entrant.open(options) for entrant in entrants]
        return _run(entrants, sessions, samples, progress)
    answered = []
    for entrant in entrants:
        session = entrant.open(options)
        answered += _run([entrant], [session], samples, progress)
        session.close()
    return answered


def _run(
    entrants: Sequence[Entrant],
    sessions: Sequence[RemoteSession],
    samples: Samples,
    progress: Progress,
) -> list[Answered]:
    """Run the loaded models batch by batch, so that samples are read once."""
    pieces: list[list[Outputs]] = [[] for _ in sessions]
    done = 0
    for batch in samples.batches:
        for entrant, session, collected in zip(entrants, sessions, pieces, strict=True):
            collected.append(entrant.outputs(session.run_many(entrant.feeds(batch))))
        done += len(next(iter(batch.values())))
        progress.done(done, samples.count)
    return [
        Answered(session=session, outputs=_joined(collected))
        for session, collected in zip(sessions, pieces, strict=True)
    ]


def _joined(pieces: Sequence[Outputs]) -> Outputs:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
