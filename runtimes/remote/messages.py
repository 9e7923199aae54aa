"""Jobs as bytes for the runner, and its answers as values."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compressor.errors import Code, EdgecError
from runtimes.protocol import Array, Outputs, require_file
from runtimes.remote.job import DeviceFacts, DeviceResult, DeviceRun, Job, JobModel
from runtimes.targets import runtime_for

_CHUNK = 1 << 20
_CODES = {
    "disk": Code.DISK_FULL,
    "folder": Code.DEVICE_UNREACHABLE,
    "lost": Code.DEVICE_LOST,
    "runtime": Code.RUNTIME_UNAVAILABLE,
    "refused": Code.RUNTIME_REFUSED,
    "crashed": Code.RUNTIME_CRASHED,
}


def runtime_of(path: Path) -> str:
    """Return the target name of the runtime that runs *path* on a device."""
    return runtime_for(path).NAME


def job_parts(job: Job, wheels: Sequence[Path], folder: str) -> Iterator[bytes]:
    """Yield the job as the runner reads it: a JSON line, wheels, then each model and its inputs."""
    for model in job.models:
        require_file(model.path)
    header = {
        "folder": folder,
        "wheels": [{"bytes": wheel.stat().st_size} for wheel in wheels],
        "models": [_model(model) for model in job.models],
        "settings": {
            "threads": job.threads,
            "optimize": job.optimize,
            "seconds": job.seconds,
            "min_rounds": job.min_rounds,
            "max_rounds": job.max_rounds,
            "pause_s": job.pause_s,
            "cores": list(job.cores),
            "seed": job.seed,
        },
    }
    yield json.dumps(header).encode() + b"\n"
    for wheel in wheels:
        yield from _pieces(wheel)
    for model in job.models:
        yield from _pieces(model.path)
        for array in model.samples.values():
            yield np.ascontiguousarray(array).tobytes()


def _model(model: JobModel) -> dict[str, Any]:
    digest = hashlib.sha256()
    for piece in _pieces(model.path):
        digest.update(piece)
    return {
        "runtime": runtime_of(model.path),
        "suffix": model.path.suffix,
        "bytes": model.path.stat().st_size,
        "sha256": digest.hexdigest(),
        "inputs": {
            name: {"dtype": array.dtype.str, "shape": array.shape, "bytes": array.nbytes}
            for name, array in model.samples.items()
        },
    }


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def facts_from(message: Mapping[str, Any]) -> DeviceFacts:
    """Return what the runner says about its device; ``DEVICE_LOST`` when it is no such message."""
    try:
        return DeviceFacts(**message)
    except TypeError as error:
        raise _strange(str(error)) from error


def raise_for(answer: Mapping[str, Any], target: str, job: Job) -> None:
    """Raise what an *answer* that reports a failure means."""
    if "error" not in answer:
        return
    names = ", ".join(model.path.name for model in job.models)
    raise EdgecError(
        _CODES.get(str(answer["error"]), Code.RUNTIME_CRASHED),
        f"on the device: {answer.get('what', '')}",
        where=f"{names} on target '{target}'",
    )


def run_from(answer: Mapping[str, Any], target: str, device: DeviceFacts, job: Job) -> DeviceRun:
    """Return the values of the runner's *answer*; ``DEVICE_LOST`` when parts are missing."""
    try:
        results = tuple(
            DeviceResult(
                load_ns=int(found["load_ns"]),
                first_ns=int(found["first_ns"]),
                repeats=int(found["repeats"]),
                elapsed_ns=tuple(int(ns) for ns in found["elapsed_ns"]),
                outputs=_outputs(found["outputs"], model),
            )
            for found, model in zip(answer["results"], job.models, strict=True)
        )
        return DeviceRun(
            target=target,
            device=device,
            results=results,
            peak_bytes=int(answer["peak_bytes"]),
            celsius=_numbers(answer["celsius"]),
            megahertz=_numbers(answer["megahertz"]),
            versions={str(k): str(v) for k, v in answer["versions"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _strange(str(error)) from error


def _outputs(found: Sequence[Mapping[str, Any]], model: JobModel) -> Outputs:
    names = model.outputs or tuple(map(str, range(len(found))))
    return {name: _array(packed) for name, packed in zip(names, found, strict=True)}


def _array(packed: Mapping[str, Any]) -> Array:
    dtype, shape = np.dtype(packed["dtype"]), tuple(int(size) for size in packed["shape"])
    if dtype.kind not in "fiub":
        raise ValueError(f"an output of type {dtype}")
    try:
        data = base64.b64decode(packed["data"], validate=True)
    except binascii.Error as error:
        raise ValueError("an output is damaged") from error
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError("an output is cut short")
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _numbers(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(float(value) for value in values if value is not None)


def _strange(reason: str) -> EdgecError:
    return EdgecError(Code.DEVICE_LOST, f"the device's answer makes no sense: {reason}")
