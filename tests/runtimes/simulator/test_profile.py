"""Device files: those that come along are whole, and a slip in one is refused."""

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.simulator.features import NAMES
from runtimes.simulator.profile import device_names, find_device, read_device
from runtimes.simulator.writing import device_text

PROMISED = (
    "raspberry-pi-3",
    "raspberry-pi-4",
    "raspberry-pi-5",
    "raspberry-pi-zero-2",
    "rk3399",
    "rk3566-orange-pi-cm4",
    "rk3568-rock-3a",
    "rk3588",
    "jetson-nano",
    "jetson-agx-orin",
    "imx7-dual",
    "snapdragon-888",
    "snapdragon-8-gen-2",
    "macbook-pro-m1",
)


def test_the_devices_that_were_promised() -> None:
    names = device_names()
    assert len(names) >= 40
    assert set(PROMISED) <= set(names)


@pytest.mark.parametrize("name", device_names())
def test_every_device_file_says_where_its_numbers_are_from(name: str) -> None:
    device = find_device(name)
    assert len({(p.threads, p.cores, p.runtime) for p in device.profiles}) == len(device.profiles)
    for profile in device.profiles:
        assert set(profile.price_ns) == set(profile.price_spread) == set(NAMES)
        assert profile.source.licence
        assert len(profile.anchors) == profile.fit.models
        assert profile.interval90 > profile.interval80
        assert (profile.float_arithmetic == "fp16") == profile.core.fp16


def test_a_written_device_reads_the_same(tmp_path: Path) -> None:
    device = find_device("rk3399")
    path = tmp_path / "rk3399.toml"
    path.write_text(device_text(device, heading="a copy"), encoding="utf-8")
    assert read_device(path) == device


def changed(folder: Path, old: str, new: str) -> Path:
    text = device_text(find_device("raspberry-pi-4"), heading="changed")
    assert old in text
    path = folder / "device.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gemm_mac =", "gemm_mc =", "did you mean 'gemm_mac'"),
        ("threads =", "thread =", "did you mean 'threads'"),
        ("clock_mhz = 1800", "clock_mhz = 1.8", "clock_mhz is 1.8"),
        ("clock_mhz = 1800", "clock_mhz = 1800000000", "clock_mhz"),
        ("gemm_mac = 0", "gemm_mac = -0", "gemm_mac is -0"),
        ("schema = 1", "schema = 2", "schema is 2"),
        ('cores = "all"', 'cores = "bigg"', "did you mean 'big'"),
        ("noise = 0", "noise = nan # 0", "noise is nan"),
        ("fp16 = false", "fp16 = 0", "fp16 is 0"),
        ("[[profile]]", "[profile]", "no TOML"),
        ('tier = "profile"', 'tier = "profile"\nspeed = 3', "no key 'speed'"),
    ],
)
def test_a_slip_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(EdgecError) as caught:
        read_device(changed(tmp_path, old, new))
    assert caught.value.code is Code.DEVICE_INVALID
    assert said in str(caught.value)


def test_an_unknown_device_names_the_nearest() -> None:
    with pytest.raises(EdgecError) as caught:
        find_device("raspberry-pi4")
    assert caught.value.code is Code.TARGET_UNKNOWN
    assert "raspberry-pi-4" in str(caught.value)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(EdgecError) as caught:
        read_device(path)
    assert caught.value.code is Code.DEVICE_INVALID
