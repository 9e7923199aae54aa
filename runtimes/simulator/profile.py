"""Device files: what is known of a device, read strictly, so that a slip never becomes a number."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from runtimes.simulator.features import NAMES

SCHEMA = 1
_FOLDER = Path(__file__).parents[1] / "devices"
_MAX_BYTES = 1 << 20

# Plausible ranges; what is outside them was written in another unit.
_CLOCK_MHZ = (10.0, 10_000.0)
_POWER_MW = (0.001, 1e6)
_PRICE_NS = (1e-6, 1e8)
_SPREAD = (0.0, 5.0)
_SCALE = (0.05, 50.0)


@dataclass(frozen=True, kw_only=True)
class Core:
    """A kind of core: its name, instruction set, clock, and what it computes natively."""

    name: str
    isa: str
    clock_mhz: float
    fp16: bool = False
    dot_product: bool = False


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How well a profile predicts models of families that it was fitted without.

    Attributes:
        models: times behind it; mape_percent: error when each family in turn is left out.
    """

    models: int
    mape_percent: float


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where measurements were published, which rows of it, under which licence, and when."""

    at: str
    rows: str
    licence: str
    date: str = ""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Prices of one way to run on a device.

    Attributes:
        runtime: whose kernels were measured; threads, cores: how it ran.
        float_arithmetic: what computes float models: ARMv8.2 cores run ncnn's in fp16.
        precisions: of the measured models; others are outside the fit.
        price_ns: nanoseconds a unit of each feature; price_spread: standard deviation of its log.
        noise: standard deviation of a log time around the model.
        interval80, interval90: stated deviations that hold 80 and 90 % of the times.
        anchors: the models whose times are behind it.
        power_mw: while a model runs, where energies were published, and the spread of its log.
    """

    runtime: str
    threads: int
    cores: str
    core: Core
    float_arithmetic: str
    precisions: tuple[str, ...]
    noise: float
    interval80: float
    interval90: float
    anchors: tuple[str, ...]
    fit: Fit
    source: Source
    tier: str = "profile"
    power_mw: float | None = None
    power_spread: float = 0.0
    price_ns: Mapping[str, float] = field(default_factory=dict)
    price_spread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device with its profiles.

    Attributes:
        name: as users type it; title: as it was published.
    """

    name: str
    title: str
    chip: str
    profiles: tuple[Profile, ...]


def device_names() -> tuple[str, ...]:
    """Return the names of the devices that come with edgec."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def find_device(name: str) -> Device:
    """Return device *name*: one that comes with edgec, or a user's own file ``path.toml``.

    Raises:
        EdgecError: ``TARGET_UNKNOWN`` names the nearest device, ``DEVICE_INVALID``.
    """
    if name.endswith(".toml"):
        return read_device(Path(name))
    known = device_names()
    if name not in known:
        raise EdgecError(
            Code.TARGET_UNKNOWN,
            f"there is no device '{name}'",
            expected=nearest(name, list(known)),
            hint="edgec devices list shows them; edgec devices fit makes one from your own times",
        )
    return read_device(_FOLDER / f"{name}.toml")


def read_device(path: Path) -> Device:
    """Read the device file at *path*.

    Raises:
        EdgecError: ``DEVICE_INVALID`` for an unknown key (naming the nearest), a missing one, a
            value of the wrong type, sign or unit, or another schema; ``DATA_NOT_FOUND``.
    """
    if not path.is_file():
        raise EdgecError(Code.DATA_NOT_FOUND, "there is no such device file", where=str(path))
    if path.stat().st_size > _MAX_BYTES:
        raise _invalid("is larger than any device file", str(path), "at most 1 MiB")
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _invalid(f"is no TOML: {error}", str(path), "a device file") from error
    table = _Table(tree, str(path))
    if (schema := table.number("schema", (0, 1000))) != SCHEMA:
        raise _invalid(f"schema is {schema:g}", str(path), f"schema = {SCHEMA}")
    device = Device(
        name=path.stem,
        title=table.text("title"),
        chip=table.text("chip"),
        profiles=tuple(_profile(each) for each in table.tables("profile")),
    )
    table.close()
    return device


def _profile(table: _Table) -> Profile:
    prices, spreads = table.table("price_ns"), table.table("price_spread")
    profile = Profile(
        runtime=table.text("runtime"),
        threads=int(table.number("threads", (1, 1024))),
        cores=table.choice("cores", ("all", "big", "little")),
        core=_core(table.table("core")),
        float_arithmetic=table.choice("float_arithmetic", ("fp32", "fp16")),
        precisions=table.texts("precisions"),
        noise=table.number("noise", (0, 5)),
        interval80=table.number("interval80", _SCALE),
        interval90=table.number("interval90", _SCALE),
        anchors=table.texts("anchors"),
        fit=_fit(table.table("fit")),
        source=_source(table.table("source")),
        tier=table.choice("tier", ("profile", "calibrated")),
        power_mw=table.number("power_mw", _POWER_MW) if table.has("power_mw") else None,
        power_spread=table.number("power_spread", _SPREAD) if table.has("power_spread") else 0.0,
        price_ns={name: prices.number(name, _PRICE_NS) for name in NAMES},
        price_spread={name: spreads.number(name, _SPREAD) for name in NAMES},
    )
    for each in (prices, spreads, table):
        each.close()
    return profile


def _core(table: _Table) -> Core:
    core = Core(
        name=table.text("name"),
        isa=table.text("isa"),
        clock_mhz=table.number("clock_mhz", _CLOCK_MHZ),
        fp16=table.flag("fp16"),
        dot_product=table.flag("dot_product"),
    )
    table.close()
    return core


def _fit(table: _Table) -> Fit:
    fit = Fit(
        models=int(table.number("models", (1, 1_000_000))),
        mape_percent=table.number("mape_percent", (0, 10_000)),
    )
    table.close()
    return fit


def _source(table: _Table) -> Source:
    source = Source(
        at=table.text("at"),
        rows=table.text("rows"),
        licence=table.text("licence"),
        date=table.text("date"),
    )
    table.close()
    return source


class _Table:
    """A TOML table whose every key must be asked for."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = values
        self._where = where
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether there is a value under *key*, which may be left out."""
        self._asked.add(key)
        return key in self._values

    def number(self, key: str, limits: tuple[float, float]) -> float:
        """Return a number within *limits*."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, value, "a number")
        low, high = limits
        if not (math.isfinite(value) and low <= value <= high):
            raise self._wrong(key, value, f"a number from {low:g} to {high:g}, in the unit named")
        return float(value)

    def text(self, key: str) -> str:
        """Return text."""
        value = self._get(key)
        if not isinstance(value, str):
            raise self._wrong(key, value, "text")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        """Return one of *known*."""
        value = self.text(key)
        if value not in known:
            raise self._wrong(key, value, nearest(value, list(known)))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(key, value, "a list of texts")
        return tuple(value)

    def table(self, key: str) -> _Table:
        """Return a table within this one."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._wrong(key, value, "a table")
        return _Table(value, f"{self._where}, {key}")

    def tables(self, key: str) -> list[_Table]:
        """Return a list of at least one table."""
        value = self._get(key)
        if not (isinstance(value, list) and value and all(isinstance(v, dict) for v in value)):
            raise self._wrong(key, value, f"[[{key}]] tables")
        return [_Table(v, f"{self._where}, {key} {i}") for i, v in enumerate(value, start=1)]

    def close(self) -> None:
        """Refuse the first key that was never asked for."""
        for key in self._values:
            if key not in self._asked:
                known = sorted(self._asked)
                raise _invalid(f"there is no key '{key}'", self._where, nearest(key, known))

    def _get(self, key: str) -> Any:  # noqa: ANN401 - any TOML value
        self._asked.add(key)
        if key not in self._values:
            unasked = [name for name in self._values if name not in self._asked]
            if slips := get_close_matches(key, unasked, n=1):
                raise _invalid(
                    f"there is no key '{slips[0]}'", self._where, f"did you mean '{key}'?"
                )
            raise _invalid(f"'{key}' is missing", self._where, f"{key} = ...")
        return self._values[key]

    def _wrong(self, key: str, value: object, expected: str) -> EdgecError:
        return _invalid(f"{key} is {value!r}", self._where, expected)


def _invalid(what: str, where: str, expected: str) -> EdgecError:
    return EdgecError(Code.DEVICE_INVALID, what, where=where, expected=expected)
