"""``ethos-u55-128`` and its kin: Arm's NPUs for microcontrollers, by Arm's own compiler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from runtimes.estimate import Estimate, MemoryNeed, Spread, Tier

if TYPE_CHECKING:
    from runtimes.simulator.vela import Compiled

_OPTIONS = ("output",)
_NAMED = 5
_MOST_ELSEWHERE = 0.1  # share of operators on the CPU above which the time is not known
# Vela calls its own estimate a guide: in Arm's words not cycle-accurate. Nothing published here
# says how far off it is, so a factor of two either way is claimed for nine cases of ten.
_DOUBT80, _DOUBT90 = 1.7, 2.0


def targets() -> tuple[str, ...]:
    """Return the accelerators that the compiler knows."""
    from runtimes.simulator.vela import ACCELERATORS

    return ACCELERATORS


def available() -> str | None:
    """Return None when the compiler is installed, otherwise what to install."""
    from runtimes.simulator.vela import missing

    return missing()


def estimate(target: str, path: Path, options: Mapping[str, str]) -> Estimate:
    """Compile the INT8 TFLite model at *path* for the accelerator *target*.

    *options*: ``output=FILE`` keeps the compiled model. Operators that the NPU cannot run are
    named; their time on the CPU is not in the latency.

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` with the compiler's reason, ``RECIPE_INVALID``.
    """
    from runtimes.simulator.vela import compile_for

    for key in options:
        if key not in _OPTIONS:
            raise EdgecError(
                Code.RECIPE_INVALID,
                f"there is no option '{key}'",
                where=f"target '{target}'",
                expected=nearest(key, list(_OPTIONS)),
            )
    if path.suffix != ".tflite":
        raise EdgecError(
            Code.RUNTIME_REFUSED,
            f"Vela does not take '{path.suffix}' files",
            where=str(path),
            expected="a .tflite file, quantized to INT8",
        )
    output = Path(options["output"]) if "output" in options else None
    return _answer(target, compile_for(target, path, output=output))


def _answer(target: str, made: Compiled) -> Estimate:
    on_npu = len(made.placement) - len(made.on_cpu)
    elsewhere = len(made.on_cpu) / max(1, len(made.placement))
    unknown = elsewhere > _MOST_ELSEWHERE
    return Estimate(
        target=target,
        device=f"Arm {target.title()} at {made.clock_mhz:g} MHz ({made.system})",
        tier=Tier.UNKNOWN if unknown else Tier.COMPILER,
        latency_ms=None if unknown else _doubted(made.inference_ms),
        memory=MemoryNeed(arena=int(made.sram_kib * 1024), weights=int(made.flash_kib * 1024)),
        facts={
            "on the NPU": f"{on_npu} of {len(made.placement)} operators",
            "cycles": f"{made.cycles:,}",
            "SRAM": f"{made.sram_kib:.1f} KiB",
            "flash": f"{made.flash_kib:.1f} KiB",
            "DRAM": f"{made.dram_kib:.1f} KiB",
            "memory traffic": f"{made.traffic_mb:.2f} MB",
        },
        reasons=_reasons(made),
        uncovered=elsewhere,
        sources=("ethos-u-vela's performance model (Apache-2.0)",),
    )


def _doubted(median: float) -> Spread:
    return Spread(
        median=median,
        low80=median / _DOUBT80,
        high80=median * _DOUBT80,
        low90=median / _DOUBT90,
        high90=median * _DOUBT90,
    )


def _reasons(made: Compiled) -> tuple[str, ...]:
    said = ["the compiler's performance model, not cycle-accurate; a factor of 2 is assumed"]
    if made.on_cpu:
        names = ", ".join(f"{each.operator} '{each.name}'" for each in made.on_cpu[:_NAMED])
        more = len(made.on_cpu) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        said.append(f"left to the CPU, whose time is not in the latency: {names}{rest}")
    return (*said, *made.fallbacks[:_NAMED])
