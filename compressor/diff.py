"""Two models, tensor by tensor: where they first part, and where they lie furthest apart."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from compressor.adapter import Adapter
from compressor.analyses.quantized import is_quantized
from compressor.contenders import adapted
from compressor.dataset import open_dataset
from compressor.evaluation import random_samples
from compressor.exposure import Exposed, Tensor
from compressor.gap import Gap, aligned
from compressor.ingest.options import IngestOptions
from compressor.matching import pairs
from compressor.source import Source, read_source
from runtimes.isolate import Worker

Array = npt.NDArray[Any]

# Reordered float32 sums stay far below; a wrong constant, axis or rounding mode does not.
FLOAT_LIMIT = 1e-3
# 20 dB: eight bits give 25 to 45 in a network whose scales are right.
INTEGER_LIMIT = 0.1


@dataclass(frozen=True, kw_only=True)
class TensorGap:
    """How far one tensor of the first model is from the same one of the second.

    Attributes:
        name: in the first model; other: in the second; op_type: what makes it.
        shape: of one sample, as the first model has it.
        relative: size of the difference over that of the first model's values (root mean squares).
        largest: largest difference of an element.
    """

    name: str
    other: str
    op_type: str
    shape: tuple[int, ...]
    relative: float
    largest: float

    @property
    def sqnr_db(self) -> float:
        """The relative difference as a signal-to-noise ratio."""
        return math.inf if self.relative == 0 else -20 * math.log10(self.relative)

    def to_json(self) -> dict[str, Any]:
        """Return the gap as a JSON-ready mapping; what is not finite becomes null."""
        numbers = {"relative": self.relative, "sqnr_db": self.sqnr_db, "largest": self.largest}
        finite = {key: n if math.isfinite(n) else None for key, n in numbers.items()}
        return {
            "name": self.name,
            "other": self.other,
            "op_type": self.op_type,
            "shape": list(self.shape),
            **finite,
        }


@dataclass(frozen=True, kw_only=True)
class Diff:
    """The comparison of two models.

    Attributes:
        samples: how many were run.
        limit: relative difference above which tensors count as apart.
        gaps: of every tensor that both have, in the order of the first model.
        outputs: gaps of the models' outputs, paired by name or else by place.
        unmatched: tensors of the first model that the second does not have.
    """

    samples: int
    limit: float
    gaps: tuple[TensorGap, ...]
    outputs: tuple[TensorGap, ...]
    unmatched: tuple[str, ...]

    @property
    def first(self) -> TensorGap | None:
        """The first tensor that lies apart, in the order of the first model."""
        return next((gap for gap in (*self.gaps, *self.outputs) if self.is_apart(gap)), None)

    @property
    def worst(self) -> TensorGap | None:
        """The tensor that lies furthest apart, if any does."""
        apart = [gap for gap in (*self.gaps, *self.outputs) if self.is_apart(gap)]
        return max(apart, key=lambda gap: (math.isnan(gap.relative), gap.relative), default=None)

    def is_apart(self, gap: TensorGap) -> bool:
        """Whether *gap* exceeds the limit and something behind it does as well.

        A tensor that lies apart alone, before others that agree, is stored on another scale:
        quantization moves scales from one layer to the next.
        """
        if gap.relative <= self.limit:
            return False
        later = [*self.gaps, *self.outputs]
        behind = later[later.index(gap) + 1 :]
        return not behind or any(not other.relative <= self.limit for other in behind)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON-ready mapping."""
        first, worst = self.first, self.worst
        return {
            "samples": self.samples,
            "limit": self.limit,
            "agree": first is None,
            "first": None if first is None else first.to_json(),
            "worst": None if worst is None else worst.to_json(),
            "tensors": [gap.to_json() for gap in self.gaps],
            "outputs": [gap.to_json() for gap in self.outputs],
            "unmatched": list(self.unmatched),
        }


def diff_models(
    a: str,
    b: str,
    *,
    data: Path | None = None,
    samples: int = 8,
    limit: float | None = None,
    ingest: IngestOptions | None = None,
) -> Diff:
    """Run models *a* and *b* on the same samples and compare every tensor that both have.

    Args:
        a: the model held to be right, in any format that edgec reads.
        b: the other one.
        data: where samples come from; random ones without.
        samples: how many to run.
        limit: relative difference above which tensors count as apart; ``FLOAT_LIMIT``, or
            ``INTEGER_LIMIT`` when only one of the models is quantized.
        ingest: weights and shapes that a source does not state; for both models.

    Raises:
        EdgecError: as ``read_source``; ``MODEL_UNSUPPORTED`` when the interfaces do not fit.
    """
    sources = [read_source(spec, ingest) for spec in (a, b)]
    adapter = adapted(sources[0].interface, sources[1].interface)
    if limit is None:
        limit = INTEGER_LIMIT if any(is_quantized(s.model) for s in sources) else FLOAT_LIMIT
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder, Worker() as worker:
        ours, theirs = (
            Exposed(source, worker, _made(Path(folder) / name))
            for source, name in zip(sources, "ab", strict=True)
        )
        comparison = _Comparison(ours, theirs, adapter)
        count = 0
        for sample in _samples(sources[0], data, samples):
            comparison.add(sample)
            count += 1
    return Diff(
        samples=count,
        limit=limit,
        gaps=comparison.tensors(),
        outputs=comparison.outputs(),
        unmatched=comparison.unmatched(),
    )


class _Comparison:
    """Sums up differences sample by sample; no more than one sample's tensors are held."""

    def __init__(self, ours: Exposed, theirs: Exposed, adapter: Adapter) -> None:
        self._ours, self._theirs, self._adapter = ours, theirs, adapter
        self._pairs: list[tuple[Tensor, str]] | None = None
        self._gaps: dict[tuple[str, str], Gap] = {}

    def add(self, sample: Mapping[str, Array]) -> None:
        """Run both models on *sample*, the feeds of the first one."""
        mine = self._ours.run(sample)
        other = self._theirs.run(self._adapter.feeds(sample))
        if self._pairs is None:
            ends = {spec.name for spec in self._adapter.artifact.outputs}
            found = pairs(self._ours.tensors, self._theirs.tensors, set(other) - ends)
            self._pairs = [pair for pair in found if pair[0].name in mine]
        names = [(tensor.name, name) for tensor, name in self._pairs]
        for ours, theirs in (*names, *self._ends()):
            moved = aligned(mine[ours], other[theirs])
            if moved is not None:
                self._gaps.setdefault((ours, theirs), Gap()).add(mine[ours], moved)

    def tensors(self) -> tuple[TensorGap, ...]:
        """Return the gaps of what lies inside, in the order of the first model."""
        ends = {name for name, _ in self._ends()}
        return tuple(
            self._gap(tensor.name, name, tensor.op_type)
            for tensor, name in self._pairs or ()
            if (tensor.name, name) in self._gaps and tensor.name not in ends
        )

    def outputs(self) -> tuple[TensorGap, ...]:
        """Return the gaps of the outputs; infinite where their shapes differ."""
        return tuple(self._gap(*pair, "output") for pair in self._ends())

    def unmatched(self) -> tuple[str, ...]:
        """Return the tensors of the first model that the second does not have."""
        matched = {name for name, _ in self._gaps}
        return tuple(t.name for t in self._ours.tensors if t.name not in matched)

    def _gap(self, name: str, other: str, op_type: str) -> TensorGap:
        found = self._gaps.get((name, other), Gap(relative_of_none=math.inf))
        return TensorGap(
            name=name,
            other=other,
            op_type=op_type,
            shape=found.shape,
            relative=found.relative,
            largest=found.largest,
        )

    def _ends(self) -> list[tuple[str, str]]:
        specs = zip(self._adapter.source.outputs, self._adapter.artifact.outputs, strict=True)
        return [(ours.name, theirs.name) for ours, theirs in specs]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _samples(source: Source, data: Path | None, count: int) -> Iterable[Mapping[str, Array]]:
    """Yield the feeds of single samples of *source* (or of its fixed batch)."""
    if data is not None:
        return open_dataset(data).evaluation(source.interface, count, batch=1)
    feeds = random_samples(source.interface, count).first_batch()
    step = source.interface.inputs[0].concrete(batch=1)[0] if source.interface.inputs else 1
    return [
        {name: array[start : start + step] for name, array in feeds.items()}
        for start in range(0, max(step, min(count, len(next(iter(feeds.values()))))), step)
    ]
