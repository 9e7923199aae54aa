"""What a device is asked to do, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runtimes.protocol import Feeds, Outputs


@dataclass(frozen=True, kw_only=True)
class JobModel:
    """A model to run: its file, and samples (first axis of every input) for its outputs.

    The first sample is the one that is timed. Inputs are in the order of the file, as are the names
    of its *outputs*; without names they are called "0", "1"...
    """

    path: Path
    samples: Feeds
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """Models that are timed against each other in the same rounds.

    Attributes:
        models: the first is the baseline.
        threads: of one inference; optimize: let the runtime rewrite graphs.
        seconds: of timing, after warm-up; at least *min_rounds* are made, at most *max_rounds*.
        pause_s: rest before each inference, for duty cycles; each sample is then one run.
        cores: to run on; empty for all.
        seed: of the order within rounds.
    """

    models: tuple[JobModel, ...]
    threads: int = 1
    optimize: bool = True
    seconds: float = 5.0
    min_rounds: int = 30
    max_rounds: int = 2000
    pause_s: float = 0.0
    cores: tuple[int, ...] = ()
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """What a device is.

    Attributes:
        runtimes: targets that run there ("ort", "litert") and the package of each.
    """

    cpu: str
    machine: str
    system: str
    cores: int
    memory_bytes: int
    runtimes: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


@dataclass(frozen=True, kw_only=True)
class DeviceResult:
    """One model on a device.

    Attributes:
        load_ns: to load it; first_ns: its first inference.
        repeats: inferences in one sample; elapsed_ns: nanoseconds of each sample.
        outputs: of every sample of the job; empty where the way there gives none.
        summary: where no single times are told: count, and microseconds as first, min, max, avg,
            std, p5, median, p95, as far as they are known.
    """

    load_ns: int
    first_ns: int
    repeats: int
    elapsed_ns: tuple[int, ...]
    outputs: Outputs = field(default_factory=dict)
    summary: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DeviceRun:
    """What a job found, model by model.

    Attributes:
        peak_bytes: largest resident set of the process, 0 where it is not told.
        celsius: temperatures from before to after, about one a second; empty where none is told.
        megahertz: frequencies of the fastest core, likewise.
    """

    target: str
    device: DeviceFacts
    results: tuple[DeviceResult, ...]
    peak_bytes: int = 0
    celsius: tuple[float, ...] = ()
    megahertz: tuple[float, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


class Device(Protocol):
    """A device that can be reached; nothing stays there when a method returns or raises."""

    def probe(self) -> DeviceFacts:
        """Return what it is; ``DEVICE_UNREACHABLE``, ``RUNTIME_UNAVAILABLE`` without Python."""
        ...

    def run(self, job: Job) -> DeviceRun:
        """Do *job*.

        Raises:
            EdgecError: ``DEVICE_UNREACHABLE``, ``DEVICE_LOST`` when the connection ends,
                ``DISK_FULL``, ``RUNTIME_UNAVAILABLE``, ``RUNTIME_REFUSED``, ``RUNTIME_CRASHED``.
        """
        ...
