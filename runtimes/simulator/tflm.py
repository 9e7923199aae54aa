"""tflite-micro on this machine: whether a model runs, in how much memory, with which outputs."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from compressor.errors import Code, EdgecError
from runtimes.isolate import Worker
from runtimes.protocol import Array, SessionOptions, refused

_TIMEOUT_S = 300
_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_TRIES = (4 << 20, 32 << 20, 256 << 20)  # bytes of arena


@dataclass(frozen=True, kw_only=True)
class MicroRun:
    """What tflite-micro did with a model.

    Attributes:
        arena: bytes in all; activations: the part planned for tensors and scratch;
            persistent: the rest, of structures that live as long as the model.
        outputs: by position in the file, [samples, ...]; reference, optimized: those of LiteRT's
            two sets of kernels, which round differently in places.
    """

    arena: int
    activations: int
    persistent: int
    outputs: tuple[Array, ...]
    reference: tuple[Array, ...]
    optimized: tuple[Array, ...]

    def apart(self) -> tuple[float, float]:
        """Return the largest difference from LiteRT, and the share of samples within one step.

        From the nearer set of its kernels, in steps of the outputs' own integers; for float
        outputs, relative to the largest value.
        """
        found = []
        for kernels in (self.reference, self.optimized):
            pairs = zip(self.outputs, kernels, strict=True)
            each = np.max([_apart(ours, theirs) for ours, theirs in pairs], axis=0)
            found.append((float(each.max()), float((each <= 1).mean())))
        return min(found)


def missing() -> str | None:
    """Return None when tflite-micro is installed, otherwise what to install."""
    if importlib.util.find_spec("tflite_micro") is None:
        return "the package tflite-micro is not installed: pip install 'edgec[mcu]'"
    return None


def run_micro(path: Path, inputs: Sequence[Array]) -> MicroRun:
    """Run the model at *path* on *inputs*, one array a model input, [samples, ...].

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` with tflite-micro's reason, ``RUNTIME_CRASHED``.
    """
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        feeds, made = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(feeds, *inputs)
        for arena in _TRIES:
            done = _child(path, arena, feeds, made)
            if done.returncode == 0:
                with np.load(made, allow_pickle=False) as outputs:
                    arrays = {name: outputs[name] for name in outputs.files}
                return _micro_run(done.stderr, arrays, path)
            if "Failed to resize buffer" not in done.stderr and "missing" not in done.stderr:
                break
    if done.returncode == 3:
        raise refused(path, f"tflite-micro: {_reason(done.stderr)}")
    raise EdgecError(Code.RUNTIME_CRASHED, _reason(done.stderr), where=str(path))


def _child(path: Path, arena: int, feeds: Path, made: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2])]
    arguments = [str(path.absolute()), str(arena), str(feeds), str(made)]
    try:
        return subprocess.run(
            [*program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        what = f"tflite-micro ran for more than {_TIMEOUT_S} s"
        raise EdgecError(Code.RUNTIME_CRASHED, what, where=str(path)) from error


_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from runtimes.simulator._tflm_child import main; sys.exit(main(sys.argv[2:]))"
)


def _micro_run(said: str, arrays: dict[str, Array], path: Path) -> MicroRun:
    found = {part: int(count) for part, count in _ALLOCATION.findall(said)}
    if set(found) != {"total", "head", "tail"}:
        what = "tflite-micro did not report its allocations"
        raise EdgecError(Code.RUNTIME_CRASHED, what, where=str(path))
    return MicroRun(
        arena=found["total"],
        activations=found["head"],
        persistent=found["tail"],
        outputs=_by(arrays, "micro"),
        reference=_by(arrays, "reference"),
        optimized=_by(arrays, "optimized"),
    )


def _by(arrays: Mapping[str, Array], prefix: str) -> tuple[Array, ...]:
    count = sum(name.startswith(prefix) for name in arrays)
    return tuple(arrays[f"{prefix}{index}"] for index in range(count))


def _reason(said: str) -> str:
    """Return the lines that tflite-micro wrote about its refusal, on one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("refused:", "[Recording"))]
    return "; ".join(told[:3] or lines[-1:]) or "it ended without a word"


def sample_inputs(path: Path, *, samples: int, seed: int) -> list[Array]:
    """Return random inputs for the model at *path*, in the order of its file."""
    rng = np.random.default_rng(seed)
    with Worker() as worker:
        specs = worker.open("litert", path, SessionOptions()).interface.inputs
    return [_random(rng, samples, tuple(_fixed(spec.shape)), spec.numpy) for spec in specs]


def _fixed(shape: Sequence[int | str]) -> list[int]:
    return [dim if isinstance(dim, int) else 1 for dim in shape]


def _random(
    rng: np.random.Generator, samples: int, shape: tuple[int, ...], dtype: npt.DTypeLike
) -> Array:
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(np.dtype(dtype).name)
        return rng.integers(limits.min, limits.max, (samples, *shape), dtype, endpoint=True)
    return rng.standard_normal((samples, *shape)).astype(dtype)


def _apart(ours: Array, theirs: Array) -> Array:
    """Return the largest difference of each sample."""
    a, b = (array.astype(np.float64).reshape(len(array), -1) for array in (ours, theirs))
    largest: Array = np.abs(a - b).max(axis=1)
    if np.issubdtype(ours.dtype, np.integer):
        return largest
    return largest / max(float(np.abs(b).max()), 1e-30)
