"""Wheels from a folder here that fit a device there."""

from __future__ import annotations

import re
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.remote.job import DeviceFacts

_NAME = re.compile(
    r"[^-]+-[^-]+(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)"
)  # PEP 427: distribution, version, build tag, python, abi, platform


def wheels_for(folder: str | None, device: DeviceFacts) -> tuple[Path, ...]:
    """Return the wheels in *folder* that *device* can import; none without a folder.

    They are unpacked beside the model there, which needs no pip, and removed with it.

    Raises:
        EdgecError: ``RUNTIME_UNAVAILABLE`` when the folder holds none that fits.
    """
    if folder is None:
        return ()
    found = sorted(Path(folder).expanduser().glob("*.whl"))
    fitting = tuple(wheel for wheel in found if fits(wheel.name, device))
    if not fitting:
        version = ".".join(device.python.split(".")[:2])
        raise EdgecError(
            Code.RUNTIME_UNAVAILABLE,
            f"none of {len(found)} wheels fits Python {version} on {device.machine}",
            where=folder,
            hint=f"pip download --only-binary=:all: --python-version {version} --platform TAG ...",
        )
    return fitting


def fits(name: str, device: DeviceFacts) -> bool:
    """Whether the wheel called *name* runs on *device*, by the tags of its name (PEP 425)."""
    tags = _NAME.fullmatch(name.removesuffix(".whl"))
    if tags is None:
        return False
    major, minor = (int(part) for part in device.python.split(".")[:2])
    pythons = tags["python"].split(".")
    plain = {f"py{major}", f"cp{major}{minor}"} & set(pythons)
    stable = tags["abi"] == "abi3" and any(_up_to(tag, major, minor) for tag in pythons)
    system = device.system.split(" ")[0].lower()
    platforms = tags["platform"].split(".")
    here = any(
        p == "any" or (system in p.replace("manylinux", "linux") and p.endswith(device.machine))
        for p in platforms
    )
    return here and (bool(plain) or stable)


def _up_to(tag: str, major: int, minor: int) -> bool:
    found = re.fullmatch(r"cp(\d)(\d+)", tag)
    return found is not None and int(found[1]) == major and int(found[2]) <= minor
