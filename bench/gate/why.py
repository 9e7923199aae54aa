"""What makes up a size, a time or a loss, by layer, and the cheapest known way to keep a budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.gate.facts import Facts, Tree, number_at
from bench.gate.quantity import Dimension, format_value
from bench.gate.ruling import Outcome, Ruling

_LISTED = 5
_INT8_SAVES = 0.75
"""Share of a float32 weight's bytes that INT8 saves; the scales are some thousandths."""


def explain(rulings: Sequence[Ruling], facts: Facts) -> Iterator[str]:
    """Yield lines on every budget that is not kept; all kinds when every one is."""
    broken = {r.budget.partition(".")[0] for r in rulings if r.outcome is not Outcome.PASS}
    wanted = broken or {"size", "latency", "max_drop"}
    if "size" in wanted:
        yield from _size(facts)
    if wanted & {"latency", "memory"}:
        yield from _work(facts)
    if wanted & {"max_drop", "accuracy", "likeness"}:
        yield from _loss(facts)


def _size(facts: Facts) -> Iterator[str]:
    """Layers by stored bytes; against a baseline, those that grew or shrank the most."""
    layers = _layers(facts.report)
    before = {layer["name"]: _bytes(layer) for layer in _layers(facts.baseline or {})}
    total = sum(map(_bytes, layers))
    if before:
        grown = [(_bytes(layer) - before.get(layer["name"], 0.0), layer) for layer in layers]
        grown.sort(key=lambda pair: -abs(pair[0]))
        gone = sum(before.values()) - sum(before.get(layer["name"], 0.0) for layer in layers)
        yield f"size: weights changed by {_signed(total - sum(before.values()))}; by layer:"
        for change, layer in grown[:_LISTED]:
            if change:
                yield f"  {_signed(change):>12}  {_named(layer)}"
        if gone:
            yield f"  {_signed(-gone):>12}  layers that are no more"
    else:
        yield f"size: weights take {format_value(total, Dimension.BYTES)}; by layer:"
        for layer in sorted(layers, key=lambda layer: -_bytes(layer))[:_LISTED]:
            share = _bytes(layer) / total if total else 0.0
            size = format_value(_bytes(layer), Dimension.BYTES)
            yield f"  {size:>12}  {share:4.0%}  {_named(layer)}"
    yield from _cheapest(layers)


def _cheapest(layers: Sequence[Tree]) -> Iterator[str]:
    """Name the float layers that would save the most as INT8."""
    plain = [layer for layer in layers if layer.get("precision") == "float" and _bytes(layer)]
    plain.sort(key=lambda layer: -_bytes(layer))
    if plain:
        chosen = plain[:_LISTED]
        saved = format_value(sum(map(_bytes, chosen)) * _INT8_SAVES, Dimension.BYTES)
        names = ", ".join(str(layer["name"]) for layer in chosen)
        yield f"  cheapest: --quantize int8 on {names} would save {saved}"
    else:
        yield "  cheapest: every layer is integer already; only pruning makes it smaller"


def _work(facts: Facts) -> Iterator[str]:
    """Layers by multiply-accumulates; the report holds no times of single layers."""
    layers = _layers(facts.report)
    total = sum(number_at(layer, "macs") or 0 for layer in layers)
    yield f"time: {total:,.0f} multiply-accumulates; by layer:"
    for layer in sorted(layers, key=lambda layer: -(number_at(layer, "macs") or 0))[:_LISTED]:
        share = (number_at(layer, "macs") or 0) / total if total else 0.0
        yield f"  {share:12.0%}  {_named(layer)}"


def _loss(facts: Facts) -> Iterator[str]:
    """Layers by their measured effect on the outputs, where the compilation measured it."""
    ranked = (facts.report.get("quantization") or {}).get("sensitivity") or []
    if not ranked:
        yield "loss: no layers are ranked; compile with --max-drop to measure the part of each"
        return
    yield "loss: by layer, the error that its quantization alone causes:"
    for entry in ranked[:_LISTED]:
        sqnr = number_at(entry, "sqnr_db")
        yield f"  {'' if sqnr is None else f'SQNR {sqnr:.1f} dB':>12}  {entry.get('node')}"


def _layers(report: Tree) -> list[Tree]:
    return [layer for layer in report.get("layers") or () if "name" in layer]


def _bytes(layer: Tree) -> float:
    return number_at(layer, "weight_bytes") or 0.0


def _signed(count: float) -> str:
    return ("+" if count >= 0 else "-") + format_value(abs(count), Dimension.BYTES)


def _named(layer: Tree) -> str:
    return f"{layer['name']} ({layer.get('op_type')}, {layer.get('precision')})"
