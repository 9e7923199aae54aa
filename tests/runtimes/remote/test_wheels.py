from __future__ import annotations

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.remote.job import DeviceFacts
from runtimes.remote.wheels import fits, wheels_for

BOARD = DeviceFacts(
    cpu="Raspberry Pi 4",
    machine="aarch64",
    system="Linux 6.6.20",
    cores=4,
    memory_bytes=1 << 32,
    python="3.11.2",
)


@pytest.mark.parametrize(
    ("name", "fitting"),
    [
        ("numpy-2.2.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", True),
        ("numpy-2.2.0-cp311-cp311-manylinux_2_17_x86_64.whl", False),
        ("numpy-2.2.0-cp312-cp312-manylinux_2_17_aarch64.whl", False),
        ("numpy-2.2.0-cp311-cp311-macosx_11_0_aarch64.whl", False),
        ("flatbuffers-25.1-py2.py3-none-any.whl", True),
        ("some-1.0-1-py3-none-any.whl", True),
        ("stable-1.0-cp38-abi3-manylinux2014_aarch64.whl", True),
        ("stable-1.0-cp312-abi3-manylinux2014_aarch64.whl", False),
        ("no wheel.whl", False),
    ],
)
def test_tags_decide(name: str, fitting: bool) -> None:
    assert fits(name, BOARD) is fitting


def test_without_a_folder_there_are_none() -> None:
    assert wheels_for(None, BOARD) == ()


def test_a_folder_without_a_fitting_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "numpy-2.2.0-cp312-cp312-win_amd64.whl").touch()
    with pytest.raises(EdgecError) as caught:
        wheels_for(str(tmp_path), BOARD)
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
    assert "3.11" in caught.value.what
