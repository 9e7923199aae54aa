"""Device files as text; ``profile.read_device`` reads them back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from runtimes.simulator.profile import SCHEMA, Core, Device, Profile


def device_text(device: Device, *, heading: str) -> str:
    """Return the device file of *device*, with a comment line *heading*."""
    lines = [
        f"# {heading}",
        f"schema = {SCHEMA}",
        f"title = {_quoted(device.title)}",
        f"chip = {_quoted(device.chip)}",
    ]
    for profile in device.profiles:
        lines += ["", *_profile_lines(profile)]
    return "\n".join(lines) + "\n"


def _profile_lines(profile: Profile) -> list[str]:
    return [
        "[[profile]]",
        f"runtime = {_quoted(profile.runtime)}",
        f"threads = {profile.threads}",
        f"cores = {_quoted(profile.cores)}",
        f"core = {_core(profile.core)}",
        f"float_arithmetic = {_quoted(profile.float_arithmetic)}",
        f"precisions = {_list(profile.precisions)}",
        f"tier = {_quoted(profile.tier)}",
        *(
            []
            if profile.power_mw is None
            else [
                f"power_mw = {profile.power_mw:.4g}",
                f"power_spread = {profile.power_spread:.3f}",
            ]
        ),
        f"noise = {profile.noise:.4f}",
        f"interval80 = {profile.interval80:.3f}",
        f"interval90 = {profile.interval90:.3f}",
        f"fit = {{ models = {profile.fit.models}, mape_percent = {profile.fit.mape_percent:.1f} }}",
        f"anchors = {_list(profile.anchors)}",
        "source = {"
        f" at = {_quoted(profile.source.at)}, rows = {_quoted(profile.source.rows)},"
        f" licence = {_quoted(profile.source.licence)}, date = {_quoted(profile.source.date)} }}",
        "[profile.price_ns]",
        *_numbers(profile.price_ns),
        "[profile.price_spread]",
        *_numbers(profile.price_spread),
    ]


def _core(core: Core) -> str:
    fp16, dot = (str(flag).lower() for flag in (core.fp16, core.dot_product))
    return (
        f"{{ name = {_quoted(core.name)}, isa = {_quoted(core.isa)},"
        f" clock_mhz = {core.clock_mhz:g}, fp16 = {fp16}, dot_product = {dot} }}"
    )


def _numbers(values: Mapping[str, float]) -> list[str]:
    return [f"{name} = {float(f'{value:.4g}')!r}" for name, value in values.items()]


def _list(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(_quoted, values)) + "]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
