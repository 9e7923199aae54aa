"""Word error rate: edits that turn answers into the reference, as a share of its length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, Tally
from bench.metrics._targets import flat
from compressor.errors import Code, EdgecError

_BLANK = 0


def count(outputs: Array, labels: Array) -> Scores:
    """Return (edits, length of the reference) of each sample, [samples, 2].

    *labels* are word or token numbers [n, length], negative behind the end. *outputs* are the same,
    of any length, or scores [n, time, tokens], which are read greedily as CTC has it: repeats are
    one, token 0 is the blank (Graves et al., ICML 2006).

    Raises:
        EdgecError: ``DATA_LABELS`` for other shapes and types.
    """
    flat(outputs)
    whole = labels.dtype.kind in "iu" and len(labels) == len(outputs)
    if labels.ndim != 2 or not whole or outputs.ndim not in (2, 3):
        raise EdgecError(
            Code.DATA_LABELS,
            f"labels have shape {list(labels.shape)} and type {labels.dtype}, outputs shape "
            f"{list(outputs.shape)}",
            expected="token numbers [n, length], and outputs [n, length] or [n, time, tokens]",
        )
    answers = _decoded(outputs) if outputs.ndim == 3 else [_words(row) for row in outputs]
    references = [_words(row) for row in labels]
    return np.array(
        [[edits(a, r), len(r)] for a, r in zip(answers, references, strict=True)], np.float64
    )


def value(totals: Scores) -> float:
    """Return edits over the length of all references, in per cent."""
    errors, length = totals
    return float(100 * errors / length) if length else 0.0


def edits(answer: Sequence[int], reference: Sequence[int]) -> int:
    """Return the least number of insertions, deletions and replacements (Levenshtein)."""
    row = list(range(len(reference) + 1))
    for i, word in enumerate(answer, 1):
        diagonal, row[0] = row[0], i
        for j, wanted in enumerate(reference, 1):
            replaced = diagonal + (word != wanted)
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, replaced)
    return row[-1]


def _words(row: Array) -> list[int]:
    return [int(word) for word in row if word >= 0]


def _decoded(scores: Array) -> list[list[int]]:
    best = scores.argmax(axis=2)
    changed = np.concatenate([np.ones((len(best), 1), bool), best[:, 1:] != best[:, :-1]], axis=1)
    kept = changed & (best != _BLANK)
    return [row[keep].tolist() for row, keep in zip(best, kept, strict=True)]


_TALLY = Tally(count=count, value=value)
METRIC = Metric(
    name="wer",
    unit="%",
    needs=Needs.LABELS,
    higher_is_better=False,
    evaluate=_TALLY.evaluate,
    tally=_TALLY,
)
