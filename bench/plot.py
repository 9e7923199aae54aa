"""Latency against size, a point a cell, as SVG: what is small and fast lies at the lower left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench.cell import Cell
from bench.grid import short
from compressor.errors import Code, EdgecError

_WIDTH, _HEIGHT = 720, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 200, 30, 50
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
_NS_PER_MS = 1e6


@dataclass(frozen=True, kw_only=True)
class _Point:
    """A cell in the plot: kilobytes, milliseconds, what it is called and where it ran."""

    kilobytes: float
    milliseconds: float
    label: str
    target: str


def draw(cells: Sequence[Cell], suffix: str = ".svg") -> bytes:
    """Return the plot of *cells* that have a size and a latency; both axes are logarithmic.

    Raises:
        EdgecError: ``USAGE`` for another *suffix* than ``.svg``, or when no cell can be drawn.
    """
    points = [point for cell in cells if (point := _point(cell)) is not None]
    if suffix != ".svg" or not points:
        what = "there is nothing to draw" if suffix == ".svg" else f"'{suffix}' cannot be drawn"
        raise EdgecError(Code.USAGE, what, where="--plot", expected="a file name that ends in .svg")
    x_axis = _Axis([p.kilobytes for p in points], _LEFT, _WIDTH - _RIGHT)
    y_axis = _Axis([p.milliseconds for p in points], _HEIGHT - _BOTTOM, _TOP)
    targets = list(dict.fromkeys(point.target for point in points))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_frame(x_axis, y_axis),
        *(
            _mark(p, x_axis, y_axis, _COLORS[targets.index(p.target) % len(_COLORS)])
            for p in points
        ),
        *(_legend(index, target) for index, target in enumerate(targets)),
        "</svg>",
    ]
    return ("\n".join(parts) + "\n").encode()


class _Axis:
    """A logarithmic axis from a place on the page to another."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low, self._high = math.log10(min(values) / 1.3), math.log10(max(values) * 1.3)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        """Return the place of *value*."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """Return round numbers (1, 2, 5 times powers of ten) within the axis."""
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        marks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        return [mark for mark in marks if self._low <= math.log10(mark) <= self._high]


def _point(cell: Cell) -> _Point | None:
    spread = (cell.estimate or {}).get("latency_ms")
    milliseconds = spread["median"] if spread else None
    if cell.latency is not None:
        milliseconds = cell.latency.median_ns.value / _NS_PER_MS
    if milliseconds is None or cell.size is None:
        return None
    judged = cell.accuracy
    quality = "" if judged is None else f", {judged.metric} {judged.artifact:.4g}{judged.unit}"
    return _Point(
        kilobytes=cell.size.file_bytes / 1000,
        milliseconds=milliseconds,
        label=f"{cell.model}{quality}",
        target=cell.target,
    )


def _frame(x_axis: _Axis, y_axis: _Axis) -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [
        f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="#444"/>',
        f'<text x="{(_LEFT + right) / 2:.0f}" y="{_HEIGHT - 12}" text-anchor="middle">KB</text>',
        f'<text x="14" y="{_TOP - 10}">ms</text>',
    ]
    for tick in x_axis.ticks():
        x = x_axis.at(tick)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in y_axis.ticks():
        y = y_axis.at(tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    return parts


def _mark(point: _Point, x_axis: _Axis, y_axis: _Axis, color: str) -> str:
    x, y = x_axis.at(point.kilobytes), y_axis.at(point.milliseconds)
    text = f"{point.label} on {point.target}: {short(point.milliseconds)} ms"
    label = f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" font-size="10">{escape(point.label)}</text>'
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}">'
    return f"{circle}<title>{escape(text)}</title></circle>{label}"


def _legend(index: int, target: str) -> str:
    x, y = _WIDTH - _RIGHT + 20, _TOP + 20 * index
    color = _COLORS[index % len(_COLORS)]
    return (
        f'<circle cx="{x}" cy="{y}" r="5" fill="{color}"/>'
        f'<text x="{x + 10}" y="{y + 4}">{escape(target)}</text>'
    )
