"""Many samples through one session: slices that fit its batch axis, outputs joined again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compressor.ir.interface import Interface
from runtimes.protocol import Array, Feeds, Outputs, Session, check_feeds, refused


def batch_size(interface: Interface, wanted: int) -> int:
    """Return the samples that one run takes: the model's fixed batch, else *wanted*."""
    fixed = {spec.shape[0] for spec in interface.inputs if spec.shape}
    sizes = [size for size in fixed if isinstance(size, int)]
    return max(sizes, default=wanted)


def check_samples(interface: Interface, samples: Feeds, path: Path) -> int:
    """Return the number of samples, the first axis of every array.

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` when names, types or sample shapes do not fit, or when
            arrays differ in their number of samples or have none.
    """
    counts = {name: len(array) if array.ndim else 0 for name, array in samples.items()}
    if len(set(counts.values())) != 1 or not all(counts.values()):
        raise refused(
            path,
            f"the numbers of samples are {counts}",
            expected="one and the same number for every input, 1 or more",
        )
    step = batch_size(interface, 1)
    first = {name: _slice(array, 0, step) for name, array in samples.items()}
    check_feeds(interface, first, path)
    return next(iter(counts.values()))


def run_samples(session: Session, samples: Feeds, batch: int, path: Path) -> Outputs:
    """Run *samples* (first axis: samples) and return outputs with the same first axis."""
    step = batch_size(session.interface, batch)
    count = check_samples(session.interface, samples, path)
    parts: dict[str, list[Array]] = {spec.name: [] for spec in session.interface.outputs}
    for start in range(0, count, step):
        used = min(step, count - start)
        fed = step if batch_size(session.interface, used) == step else used
        outputs = session.run({n: _slice(a, start, fed) for n, a in samples.items()})
        for name, array in outputs.items():
            parts[name].append(_by_sample(name, array, fed, path)[:used])
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _slice(array: Array, start: int, size: int) -> Array:
    """Return *size* samples; past the end the last one is repeated."""
    part = array[start : start + size]
    missing = size - len(part)
    return np.concatenate([part, np.repeat(part[-1:], missing, axis=0)]) if missing else part


def _by_sample(name: str, array: Array, fed: int, path: Path) -> Array:
    if array.ndim and array.shape[0] == fed:
        return array
    if fed == 1:  # an output without a batch axis
        return array[np.newaxis]
    raise refused(
        path,
        f"output '{name}' has shape {list(array.shape)} for {fed} samples",
        expected="a first axis of samples; run the samples one by one (batch=1)",
    )
