"""What measurements say: frozen values, each with ``to_json``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Record:
    """A dataclass whose fields are numbers, text, enums, records, and collections of these."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a JSON-ready mapping; a number that is not finite becomes null."""
        return {field.name: _plain(getattr(self, field.name)) for field in _fields(self)}


def _fields(record: Any) -> tuple[dataclasses.Field[Any], ...]:  # noqa: ANN401 - any dataclass
    return dataclasses.fields(record)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a JSON tree
    match value:
        case Record():
            return value.to_json()
        case Enum():
            return value.value
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _:
            return value


class Verdict(Enum):
    """Whether a time may be quoted and decided upon."""

    STABLE = "stable"
    NOISY = "noisy"
    THROTTLED = "throttled"


@dataclass(frozen=True, kw_only=True)
class Interval(Record):
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def relative_width(self) -> float:
        """Width of the interval as a share of the value."""
        return (self.high - self.low) / abs(self.value) if self.value else math.inf


@dataclass(frozen=True, kw_only=True)
class Latency(Record):
    """Times of one model, of the rounds in which it ran beside others.

    Attributes:
        label: what was timed.
        median_ns: nanoseconds of one inference.
        repeats: inferences within one sample.
        elapsed_ns: raw nanoseconds of each sample, in the order of the rounds.
    """

    label: str
    runtime: str
    threads: int
    median_ns: Interval
    verdict: Verdict
    repeats: int
    elapsed_ns: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class LatencyRatio(Record):
    """Median of a model over the median of *baseline*, timed in the same rounds."""

    baseline: str
    ratio: Interval
    verdict: Verdict
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Size(Record):
    """Bytes of a model's files, as they are and compressed by gzip at level 9.

    Attributes:
        gzip_bytes: None for files that are too large for any store or update that compresses them.
    """

    file_bytes: int
    gzip_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Memory(Record):
    """Peak resident set of a fresh process that loads a model and runs it once.

    Attributes:
        bare_bytes: peak of the process before it loads the runtime's library.
        peak_bytes: peak after the run: library, model, buffers and packed weights.
        added_bytes: the difference, what running the model takes.
    """

    bare_bytes: int
    peak_bytes: int
    added_bytes: int


FLIPS_KEPT = 200
"""Flipped samples that a record lists; their number counts all."""


@dataclass(frozen=True, kw_only=True)
class ClassChange(Record):
    """Right answers of both models on the samples of one class.

    Attributes:
        label: the class; samples: how many it has.
        source: of these, right by the source model; artifact: by the artifact.
    """

    label: int
    samples: int
    source: int
    artifact: int


@dataclass(frozen=True, kw_only=True)
class Flip(Record):
    """A sample to which the artifact gives another class than the source model.

    Attributes:
        index: its place among the samples; label: its class, None without labels.
        source: the source model's class; artifact: the artifact's.
    """

    index: int
    label: int | None
    source: int
    artifact: int


@dataclass(frozen=True, kw_only=True)
class Cold(Record):
    """Milliseconds until a model first answers.

    Attributes:
        process_ms: from starting a process to its first answer: interpreter, library, model, run;
            None where it was not measured.
        load_ms: loading the model where the library is in memory.
        first_ms: the first inference, in which caches are cold and memory is touched first.
    """

    process_ms: float | None
    load_ms: float
    first_ms: float


@dataclass(frozen=True, kw_only=True)
class Accuracy(Record):
    """Quality of source and artifact on the same samples.

    Attributes:
        metric: name of the metric; unit: its unit, empty for plain numbers.
        samples: how many there were.
        drop: loss of the artifact, positive when it is worse, with a paired interval; None where
            the source's value is infinite.
        drop_unit: "pt" (for metrics from 0 to 1, a hundredth) or, on open scales, the unit.
        agreement: percentage of samples whose top-1 is the source's; None for single outputs.
        cosine: mean cosine similarity of the outputs to the source's.
        sqnr_db: power of the source's outputs over that of the difference.
        mcnemar: chance of a difference in right answers as large as this one between models that
            are equally good; None where there are no classes to be right about.
        classes: right answers class by class, the largest loss first.
        flipped: samples whose class changed; flips: the first of them.
    """

    metric: str
    unit: str
    samples: int
    source: float
    artifact: float
    drop: Interval | None
    drop_unit: str
    agreement: float | None
    cosine: float
    sqnr_db: float
    mcnemar: float | None = None
    classes: tuple[ClassChange, ...] = ()
    flipped: int = 0
    flips: tuple[Flip, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Parity(Record):
    """Difference of two artifacts' outputs in steps of the output's scale.

    Attributes:
        output: name of the output.
        mean_lsb: mean absolute difference; max_lsb: the largest.
        agreement: percentage of samples with equal top-1; None for single outputs.
    """

    output: str
    samples: int
    mean_lsb: float
    max_lsb: float
    agreement: float | None


@dataclass(frozen=True, kw_only=True)
class Environment(Record):
    """Where measurements were made; holds no date and no host name, so that it repeats.

    Attributes:
        cores: cores that this process may use; quota: CPU seconds a second that its control group
            grants, None without a limit.
    """

    cpu: str
    machine: str
    system: str
    cores: int
    quota: float | None
    versions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class SourceRecord(Record):
    """The float model that artifacts are held against; its latency by runtime."""

    name: str
    size: Size
    weight_bytes: int = 0
    latency: tuple[Latency, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Delegated(Record):
    """What of a model the runtime's delegate runs.

    Attributes:
        delegate: its name.
        partitions: pieces that it runs; one is best.
        outside: operators left to the runtime's own kernels.
    """

    delegate: str
    partitions: int
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ArtifactRecord(Record):
    """All that was measured of one artifact in one runtime; None where it was not.

    Attributes:
        interface: what a program that uses the artifact must know: names, types, shapes, layouts,
            scales and zero points.
        files: names of all its files, the model's first.
        sha256: digest of what was measured: of its files, one after the other.
        operators: how often each operator occurs in it, by the format's own names.
        opset: of ONNX files.
        weight_bytes: of the parameters in the graph that it was written from.
        integer_macs, integer_weights: shares of that graph in integers, 0 to 1.
    """

    name: str
    runtime: str
    size: Size
    interface: Mapping[str, Any] | None = None
    delegated: Delegated | None = None
    files: tuple[str, ...] = ()
    sha256: str = ""
    operators: Mapping[str, int] = field(default_factory=dict)
    opset: int | None = None
    weight_bytes: int = 0
    integer_macs: float | None = None
    integer_weights: float | None = None
    latency: Latency | None = None
    ratio: LatencyRatio | None = None
    accuracy: Accuracy | None = None
    parity: tuple[Parity, ...] = ()
    memory: Memory | None = None
