"""What measurements depend on and a reader must know to repeat them."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from bench.records import Environment

_PACKAGES = ("edgec", "numpy", "onnx", "onnx-ir", "onnxruntime", "ai-edge-litert")
_CPUINFO = Path("/proc/cpuinfo")
_CGROUPS = Path("/sys/fs/cgroup")


def environment() -> Environment:
    """Describe the processor, what of it this process may use, and the versions of our tools."""
    return Environment(
        cpu=_cpu(),
        machine=platform.machine(),
        system=f"{platform.system()} {platform.release()}",
        cores=_cores(),
        quota=_quota(),
        versions=dict(_versions()),
    )


def _cpu() -> str:
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() in {"model name", "hardware"}:
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Cores of the affinity mask, where there is one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota() -> float | None:
    """Cores' worth of time that control groups grant: version 2 first, else version 1."""
    unified = _CGROUPS / "cpu.max"
    if unified.exists():
        granted, period = unified.read_text().split()
        return None if granted == "max" else int(granted) / int(period)
    limit, length = _CGROUPS / "cpu/cpu.cfs_quota_us", _CGROUPS / "cpu/cpu.cfs_period_us"
    if limit.exists() and length.exists():
        granted_us = int(limit.read_text())
        return None if granted_us < 0 else granted_us / int(length.read_text())
    return None


def _versions() -> Iterator[tuple[str, str]]:
    yield "python", platform.python_version()
    for package in _PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
