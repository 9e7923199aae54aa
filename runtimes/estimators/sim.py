"""``sim:<device>``: phones, boards and microcontrollers whose times were published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from runtimes.estimate import Estimate

if TYPE_CHECKING:
    from runtimes.simulator.profile import Device, Profile

_PREFIX = "sim:"
_OPTIONS = ("threads", "cores", "runtime")
_RUNTIMES = {".tflite": "litert"}  # what runs an artifact on a device, by its suffix


def targets() -> tuple[str, ...]:
    """Return the simulated devices, one target each."""
    folder = Path(__file__).parents[1] / "devices"
    return tuple(sorted(_PREFIX + path.stem for path in folder.glob("*.toml")))


def available() -> str | None:
    """Return None: a simulated device is always there."""
    return None


def estimate(target: str, path: Path, options: Mapping[str, str]) -> Estimate:
    """Predict the model at *path* on a device.

    *options*: ``threads`` and ``cores`` (all, big, little) choose a profile, the nearest that was
    measured; ``runtime`` the library (litert, ncnn), by default the one for the artifact's format.

    Raises:
        EdgecError: ``TARGET_UNKNOWN``, ``DEVICE_INVALID``, ``RECIPE_INVALID`` for an option, and a
            2xx code that says what is wrong with the model.
    """
    from runtimes.simulator.graph import read_graph, works_of
    from runtimes.simulator.memory import memory_need
    from runtimes.simulator.profile import find_device
    from runtimes.simulator.simulate import energy_of, simulate

    for key in options:
        if key not in _OPTIONS:
            raise _invalid(f"there is no option '{key}'", nearest(key, list(_OPTIONS)), target)
    device = find_device(target.removeprefix(_PREFIX))
    profile, remarks = choose_profile(device, options, target)
    usual = _RUNTIMES.get(path.suffix, "ncnn") if profile.runtime == "ncnn" else profile.runtime
    runtime = options.get("runtime", usual)
    graph = read_graph(path)
    found = simulate(works_of(graph), profile, runtime=runtime)
    return Estimate(
        target=target,
        device=f"{device.title} ({profile.core.name} {profile.core.clock_mhz:g} MHz)",
        tier=found.tier,
        latency_ms=found.latency_ms,
        energy_mj=energy_of(found.latency_ms, profile),
        memory=memory_need(graph),
        facts={
            "threads": str(profile.threads),
            "cores": profile.cores,
            "measured runtime": profile.runtime,
            "error of the fit": f"{profile.fit.mape_percent:.1f} %, {profile.fit.models} models",
        },
        reasons=(*remarks, *found.reasons),
        sources=(f"{profile.source.at}: {profile.source.rows} ({profile.source.licence})",),
        uncovered=found.uncovered,
    )


def choose_profile(
    device: Device, options: Mapping[str, str], target: str
) -> tuple[Profile, tuple[str, ...]]:
    """Return the profile nearest to the asked threads and cores, and how it differs from them."""
    text = options.get("threads", "1")
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise _invalid(f"threads is '{text}'", "a whole number, 1 or more", target)
    threads, cores = int(text), options.get("cores", "big")
    if cores not in ("all", "big", "little"):
        raise _invalid(f"cores is '{cores}'", nearest(cores, ["all", "big", "little"]), target)

    def distance(profile: Profile) -> tuple[float, bool]:
        larger = max(profile.threads, threads) / min(profile.threads, threads)
        little = profile.cores == "little"
        other = "runtime" in options and profile.runtime != options["runtime"]
        return larger + 100 * (little != (cores == "little")) + other, profile.cores != cores

    chosen = min(device.profiles, key=distance)
    remarks = []
    if chosen.threads != threads:
        remarks.append(
            f"this is the time on {chosen.threads} threads: none was published on {threads}"
        )
    if (chosen.cores == "little") != (cores == "little"):
        remarks.append(
            f"this is the time on {chosen.cores} cores: none was published on {cores} ones"
        )
    return chosen, tuple(remarks)


def _invalid(what: str, expected: str, target: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=f"target '{target}'", expected=expected)
