from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

import bench.environment
from bench.environment import environment


def test_repeats_and_names_the_tools() -> None:
    record = environment()
    assert record == environment()
    assert record.cpu
    assert record.cores == len(os.sched_getaffinity(0))
    assert record.versions["python"] == platform.python_version()
    assert {"numpy", "onnxruntime", "ai-edge-litert"} <= set(record.versions)


def test_leaks_no_host_name() -> None:
    assert platform.node() not in str(environment().to_json())


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_reads_the_control_groups_quota(
    files: dict[str, str], quota: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(bench.environment, "_CGROUPS", tmp_path)
    assert environment().quota == quota
