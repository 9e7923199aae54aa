"""What this machine offers to edgec, and whether quantization works on it from end to end."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

from bench.environment import environment
from compressor.compile import compile_model
from compressor.errors import EdgecError
from compressor.recipe import Recipe
from runtimes.targets import USUAL, runtimes

CORE = (
    "numpy",
    "onnx",
    "onnx-ir",
    "onnxscript",
    "onnxruntime",
    "ai-edge-litert",
    "flatbuffers",
    "click",
    "rich",
)
# By extra: a package that only comes with it, and what for.
EXTRAS = {
    "torch": ("torch", "PyTorch models (.pt2, file.py:factory)"),
    "keras": ("tf2onnx", "Keras models (.keras, .h5, file.py:factory) and SavedModels"),
    "images": ("pillow", "folders of images as data"),
    "openvino": ("openvino", "the target openvino"),
    "mcu": ("tflite_micro", "the target tflm, and ethos-u55-128 and its kin"),
    "mnn": ("MNN", "the target mnn"),
}

# Instructions that multiply and add four or more 8-bit products at once, as Linux names them, and
# how INT8 fares without any: products are widened to 16 bits, which costs most of the gain.
INT8_INSTRUCTIONS = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")

LITTLE_DISK = 1 << 30
LITTLE_MEMORY = 1 << 30

_TINY_MODEL = """<ir_version: 10, opset_import: ["" : 21]>
net (float[batch,3,8,8] image) => (float[batch,4] logits)
<float[4,3,1,1] kernel = {0.9, -0.5, 0.3, 0.2, 0.8, -0.7, -0.4, 0.6, 0.1, 0.5, 0.5, -0.9}> {
  features = Conv(image, kernel)
  active = Relu(features)
  pooled = GlobalAveragePool(active)
  logits = Flatten(pooled)
}"""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the diagnosis: a topic, what was found, whether it will do, what to try."""

    topic: str
    found: str
    good: bool = True
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the check as a JSON-ready mapping."""
        return asdict(self)


def diagnose() -> list[Check]:
    """Check packages, extras, runtimes, processor, space, and compile a tiny model (seconds)."""
    return [
        *map(_package, CORE),
        *(_extra(extra, *facts) for extra, facts in EXTRAS.items()),
        *_runtimes(),
        _processor(),
        _memory(),
        _disk(Path(tempfile.gettempdir())),
        _self_test(),
    ]


def _package(name: str) -> Check:
    try:
        return Check(topic=name, found=metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(topic=name, found="missing", good=False, hint=f"pip install {name}")


def _extra(extra: str, package: str, purpose: str) -> Check:
    try:
        return Check(topic=package, found=f"{metadata.version(package)}; for {purpose}")
    except metadata.PackageNotFoundError:
        hint = f"pip install 'edgec[{extra}]'"
        return Check(topic=package, found=f"not installed; for {purpose}", hint=hint)


def _runtimes() -> list[Check]:
    checks = []
    for name, runtime in runtimes().items():
        reason = runtime.available()
        good = reason is None or name not in USUAL
        checks.append(Check(topic=f"runtime {name}", found=reason or "available", good=good))
    return checks


def _processor() -> Check:
    facts = environment()
    features = int8_instructions(_CPUINFO.read_text() if _CPUINFO.exists() else "")
    cores = f"{facts.cpu or facts.machine}, {facts.cores} cores"
    if features:
        return Check(topic="processor", found=f"{cores}, INT8 by {', '.join(features)}")
    hint = "INT8 gains size, but less speed, without VNNI or dot-product instructions"
    return Check(topic="processor", found=f"{cores}, no INT8 instructions known", hint=hint)


def int8_instructions(cpuinfo: str) -> list[str]:
    """Return which of ``INT8_INSTRUCTIONS`` the text of ``/proc/cpuinfo`` lists."""
    words = set(cpuinfo.split())
    return [name for name in INT8_INSTRUCTIONS if name in words]


def _memory() -> Check:
    lines = _MEMINFO.read_text().splitlines() if _MEMINFO.exists() else []
    free = next((int(row.split()[1]) << 10 for row in lines if row.startswith("MemAvail")), None)
    if free is None:
        return Check(topic="memory", found="unknown on this system")
    return Check(
        topic="memory",
        found=f"{free / 1e9:.1f} GB available",
        good=free >= LITTLE_MEMORY,
        hint="" if free >= LITTLE_MEMORY else "close other programs",
    )


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    return Check(
        topic="disk",
        found=f"{free / 1e9:.1f} GB free for temporary files ({folder})",
        good=free >= LITTLE_DISK,
        hint="" if free >= LITTLE_DISK else "free some space, or set TMPDIR to another folder",
    )


def _self_test() -> Check:
    """Compile a one-layer model to INT8 in every format; each artifact is run and compared."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edgec-") as temporary:
        folder = Path(temporary)
        _write_tiny_model(folder)
        try:
            made = compile_model(
                str(folder / "net.onnx"),
                output=folder / "out",
                data=folder / "data.npz",
                recipe=Recipe(latency_seconds=0),
            )
        except EdgecError as error:
            return Check(topic="self-test", found=str(error), good=False, hint="edgec explain CODE")
    written = ", ".join(record.name for record in made.artifacts)
    found = f"INT8 {written} made and run in {time.monotonic() - started:.1f} s"
    return Check(topic="self-test", found=found)


def _write_tiny_model(folder: Path) -> None:
    ir.save(ir.from_onnx_text(_TINY_MODEL), folder / "net.onnx")
    samples = np.random.default_rng(0).normal(size=(64, 3, 8, 8))
    np.savez(folder / "data.npz", x=samples.astype(np.float32))
