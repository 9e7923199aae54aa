"""Arm's compiler for Ethos-U NPUs: what runs there, in how many cycles and how much memory."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compressor.errors import Code, EdgecError
from compressor.files import write_atomically
from runtimes.protocol import refused, require_file

_TIMEOUT_S = 600
ACCELERATORS = (
    "ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256",
    "ethos-u65-256", "ethos-u65-512",
    "ethos-u85-128", "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024", "ethos-u85-2048",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One operator of the compiled model: where it runs and how many cycles it takes there."""

    operator: str
    name: str
    on_npu: bool
    cycles: int


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What the compiler says of a model on an accelerator.

    Attributes:
        inference_ms: at clock_mhz, by the compiler's performance model; NPU operators only.
        cycles: in all; macs: of the network.
        sram_kib, flash_kib, dram_kib: memory that the compiled model takes.
        traffic_mb: bytes moved in one inference, in millions.
        placement: every operator; fallbacks: the compiler's reasons for those left to the CPU.
        system: the assumed memories and clock.
    """

    inference_ms: float
    clock_mhz: float
    cycles: int
    macs: int
    sram_kib: float
    flash_kib: float
    dram_kib: float
    traffic_mb: float
    placement: tuple[Placement, ...]
    fallbacks: tuple[str, ...]
    system: str

    @property
    def on_cpu(self) -> tuple[Placement, ...]:
        """The operators that the NPU does not run."""
        return tuple(each for each in self.placement if not each.on_npu)


def missing() -> str | None:
    """Return None when Vela is installed, otherwise what to install."""
    if importlib.util.find_spec("ethosu") is None:
        return "the package ethos-u-vela is not installed: pip install 'edgec[mcu]'"
    return None


def compile_for(accelerator: str, path: Path, *, output: Path | None = None) -> Compiled:
    """Compile the TFLite model at *path*; keep the compiled file at *output* when it is given.

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` with the compiler's reason, ``RUNTIME_CRASHED`` when it
            takes longer than ten minutes, ``MODEL_NOT_FOUND``.
    """
    require_file(path)
    with tempfile.TemporaryDirectory(prefix="edgec-") as name:
        folder = Path(name)
        said = _run(accelerator, path, folder)
        made = sorted(folder.glob("*_vela.tflite"))
        if not made:
            raise refused(path, f"Vela: {_reason(said)}")
        if output is not None:
            write_atomically(output, made[0].read_bytes())
        return _compiled(folder, said)


def _run(accelerator: str, path: Path, folder: Path) -> str:
    program = [sys.executable, "-P", "-c", _PROGRAM, str(path.absolute())]
    options = ["--accelerator-config", accelerator, "--output-dir", str(folder)]
    wanted = ["--verbose-performance", "--show-cpu-operations"]
    try:
        done = subprocess.run(
            [*program, *options, *wanted],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            cwd=folder,
        )
    except subprocess.TimeoutExpired as error:
        what = f"Vela compiled for more than {_TIMEOUT_S} s"
        raise EdgecError(Code.RUNTIME_CRASHED, what, where=str(path)) from error
    if done.returncode:
        raise refused(path, f"Vela: {_reason(done.stdout + done.stderr)}")
    return done.stdout + done.stderr


_PROGRAM = "import sys; from ethosu.vela.vela import main; sys.exit(main(sys.argv[1:]))"


def _compiled(folder: Path, said: str) -> Compiled:
    (summary,) = _table(folder, "*_summary_*.csv")
    number = {key: float(text) for key, text in summary.items() if _is_number(text)}
    traffic = sum(value for key, value in number.items() if key.endswith("_total_bytes"))
    return Compiled(
        inference_ms=1e3 * number["inference_time"],
        clock_mhz=number["core_clock"] / 1e6,
        cycles=int(number["cycles_total"]),
        macs=int(number["nn_macs"]),
        sram_kib=number["sram_memory_used"],
        flash_kib=number["off_chip_flash_memory_used"] + number["on_chip_flash_memory_used"],
        dram_kib=number["dram_memory_used"],
        traffic_mb=traffic / 1e6,
        placement=tuple(
            Placement(
                operator=row["Original Operator"],
                name=row["Name"],
                on_npu=row["Target"] == "NPU",
                cycles=int(float(row["Op Cycles"])),
            )
            for row in _table(folder, "*_per-layer.csv")
        ),
        fallbacks=_fallbacks(said),
        system=f"{summary['system_config']}, {summary['memory_mode']}",
    )


def _table(folder: Path, pattern: str) -> Iterator[dict[str, str]]:
    for path in folder.glob(pattern):
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _fallbacks(said: str) -> tuple[str, ...]:
    """Return the compiler's sentences about operators that it leaves to the CPU."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    return tuple(
        line.removeprefix("Warning: ")
        for line in lines
        if "CPU" in line and (line.startswith("Warning:") or "is a CPU only op" in line)
    )


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return (errors or lines or ["it ended without a word"])[-1]
