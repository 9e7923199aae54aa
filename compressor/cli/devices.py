"""``edgec devices``: the devices that latency is estimated for, and profiles of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from runtimes.simulator.profile import Device, Profile

_TABLE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def command() -> None:
    """List simulated devices, show what is behind one, fit and check profiles."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_devices(as_json: bool) -> None:
    """List the devices with the error of their fits on model families left out."""
    from runtimes.simulator.profile import device_names, find_device

    devices = [find_device(name) for name in device_names()]
    if as_json:
        click.echo(json.dumps([_to_json(device) for device in devices], indent=1))
        return
    for device in devices:
        for profile in device.profiles:
            click.echo(f"sim:{device.name:24} {_line(profile)}")


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, as_json: bool) -> None:
    """Show device NAME: its profiles, prices, and where each measurement was published."""
    from runtimes.simulator.profile import find_device

    device = find_device(name.removeprefix("sim:"))
    if as_json:
        click.echo(json.dumps(_to_json(device), indent=1))
        return
    click.echo(f"{device.name}: {device.title}\nchip: {device.chip}")
    for profile in device.profiles:
        click.echo(f"\n{_line(profile)}\n{_details(profile)}")


@command.command()
@click.argument("times", type=_TABLE)
@click.option("--name", required=True, help="What the device is called.")
@click.option("--core", default="unknown", help="Its core, such as Cortex-A76.")
@click.option("--clock-mhz", type=click.FloatRange(10, 10_000), required=True, help="Its clock.")
@click.option("--threads", type=click.IntRange(1), default=1, help="Threads that were used.")
@click.option("-o", "--output", type=_TABLE, required=True, help="The device file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fit(times: Path, output: Path, as_json: bool, **facts: Any) -> None:  # noqa: ANN401 - click's
    """Fit a profile to TIMES, a CSV of at least 3 models and their latency_ms on the device.

    The result is used as --on sim:FILE.toml. Everything that the times do not tell is taken from
    the published devices, and the intervals say how sure that is.
    """
    from compressor.files import write_atomically
    from runtimes.simulator.features import quantities
    from runtimes.simulator.fitting import calibrated_profile
    from runtimes.simulator.profile import Core, Device, Source
    from runtimes.simulator.user_times import read_user_times
    from runtimes.simulator.writing import device_text

    measured = read_user_times(times)
    profile = calibrated_profile(
        measured.ms,
        {model: quantities(works) for model, works in measured.works.items()},
        core=Core(name=facts["core"], isa="unknown", clock_mhz=facts["clock_mhz"]),
        threads=facts["threads"],
        source=Source(at="own measurements", rows=times.name, licence="own"),
    )
    device = Device(name=output.stem, title=facts["name"], chip=facts["core"], profiles=(profile,))
    text = device_text(device, heading="Made by edgec devices fit.")
    write_atomically(output, text.encode())
    click.echo(json.dumps(_to_json(device), indent=1) if as_json else _line(profile))


@command.command()
@click.argument("name")
@click.argument("times", type=_TABLE)
@click.option("--threads", type=click.IntRange(1), default=1, help="Threads that were used.")
@click.option("--runtime", default="litert", help="What ran the models: litert or ncnn.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(name: str, times: Path, as_json: bool, **how: Any) -> None:  # noqa: ANN401 - click's
    """Hold device NAME against TIMES, a CSV of models and their latency_ms measured on it."""
    from compressor.device_check import check_device

    found = check_device(name.removeprefix("sim:"), times, **how)
    if as_json:
        click.echo(json.dumps([vars(row) for row in found], indent=1))
        return
    for row in found:
        inside = "inside" if row.inside90 else "outside"
        predicted = "unknown" if row.predicted_ms is None else f"{row.predicted_ms:.3g} ms"
        click.echo(
            f"{row.model}: measured {row.measured_ms:.3g} ms, predicted {predicted}, {inside}"
        )
    errors = [row.error for row in found if row.error is not None]
    if errors:
        mean, inside90 = sum(errors) / len(errors), sum(row.inside90 for row in found)
        click.echo(f"MAPE {100 * mean:.1f} %, {inside90} of {len(found)} inside the 90 % interval")


def _line(profile: Profile) -> str:
    return (
        f"{profile.core.name} {profile.core.clock_mhz:g} MHz, {profile.threads} threads, "
        f"{profile.cores} cores, {profile.runtime}: {profile.fit.mape_percent:.0f} % error "
        f"({profile.fit.models} models)"
    )


def _details(profile: Profile) -> str:
    prices = "\n".join(
        f"    {name:26} {price:12.4g} ns  x/ {2.718281828 ** profile.price_spread[name]:.2f}"
        for name, price in profile.price_ns.items()
    )
    source = profile.source
    return (
        f"  {profile.core.isa}, float models in {profile.float_arithmetic}\n"
        f"  tier {profile.tier}; 90 % intervals are {profile.interval90:.2f} stated deviations\n"
        f"  source: {source.at}; {source.rows}; {source.licence}; {source.date}\n"
        f"  anchors: {', '.join(profile.anchors)}\n  prices a unit, with their spread:\n{prices}"
    )


def _to_json(device: Device) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(device)
