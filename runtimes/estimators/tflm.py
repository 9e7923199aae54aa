"""``tflm``: the real tflite-micro interpreter, for memory, operators and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from runtimes.estimate import Estimate, MemoryNeed, Tier

_NAME = "tflm"
_OPTIONS = ("sram",)
_SAMPLES = 8


def targets() -> tuple[str, ...]:
    """Return the one target."""
    return (_NAME,)


def available() -> str | None:
    """Return None when tflite-micro is installed, otherwise what to install."""
    from runtimes.simulator.tflm import missing

    return missing()


def estimate(target: str, path: Path, options: Mapping[str, str]) -> Estimate:
    """Load and run the model at *path* in tflite-micro, and hold its outputs against LiteRT's
    own kernels.

    *options*: ``sram=256KB`` says whether arena fits that much memory. There is no latency: this
    machine's says nothing of a microcontroller's; ``sim:<board>`` has one.

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` with the interpreter's reason, ``RECIPE_INVALID``.
    """
    from runtimes.simulator.graph import read_graph
    from runtimes.simulator.memory import memory_need
    from runtimes.simulator.tflm import run_micro, sample_inputs

    for key in options:
        if key not in _OPTIONS:
            raise _invalid(f"there is no option '{key}'", nearest(key, list(_OPTIONS)))
    room = _bytes(options["sram"]) if "sram" in options else None
    if path.suffix != ".tflite":
        raise EdgecError(
            Code.RUNTIME_REFUSED,
            f"tflite-micro does not take '{path.suffix}' files",
            where=str(path),
            expected="a .tflite file",
        )
    ran = run_micro(path, sample_inputs(path, samples=_SAMPLES, seed=0))
    apart, within = ran.apart()
    planned = memory_need(read_graph(path))
    facts = {
        "arena": f"{ran.arena:,} bytes ({ran.activations:,} activations)",
        "flash": f"{path.stat().st_size:,} bytes of model",
        "outputs": f"{100 * within:.0f} % of {_SAMPLES} random samples within 1 step of LiteRT's "
        f"own kernels, {apart:.3g} at most",
    }
    if room is not None:
        facts["fits"] = _fits(ran.arena, room, planned.decided_by)
    return Estimate(
        target=target,
        device="tflite-micro, reference kernels",
        tier=Tier.MEASURED,
        memory=MemoryNeed(
            arena=ran.activations,
            weights=planned.weights,
            overhead=ran.persistent,
            decided_by=planned.decided_by,
        ),
        facts=facts,
        reasons=("memory and outputs only: a microcontroller's latency is that of sim:<board>",),
    )


def _fits(arena: int, room: int, decided_by: tuple[tuple[str, int], ...]) -> str:
    answer = "yes" if arena <= room else "no"
    largest = ", ".join(f"'{name}' {size:,} bytes" for name, size in decided_by[:2])
    return f"{answer}: {arena:,} of {room:,} bytes, decided by {largest}"


def _bytes(text: str) -> int:
    units = {"KB": 1 << 10, "MB": 1 << 20, "B": 1}
    for unit, size in units.items():
        number = text.upper().removesuffix(unit).strip()
        if text.upper().endswith(unit) and number.isascii() and number.isdecimal():
            return int(number) * size
    raise _invalid(f"sram is '{text}'", "a size such as 256KB")


def _invalid(what: str, expected: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=f"target '{_NAME}'", expected=expected)
