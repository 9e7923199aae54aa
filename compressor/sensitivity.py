"""What quantization does to the answers, layer by layer: its own error, and what has added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.collect import Feeds, RunnerFactory
from compressor.ir.annotations import Precision, is_convert, origin_of, precision_of, quant_of
from compressor.ir.op_facts import Role, facts_of
from compressor.ir.rewrite import sole_consumer

Array = npt.NDArray[Any]
_SILENT_DB = 200.0


@dataclass(frozen=True, kw_only=True)
class LayerError:
    """How far quantization moves one layer.

    Attributes:
        node: its name.
        sources: the nodes of the source that it stands for.
        accumulated_db: signal to noise of its result with everything before it quantized as well.
        sqnr_db: signal to noise of the model's output with this layer alone quantized; None where
            time did not suffice to measure it.
    """

    node: str
    sources: tuple[str, ...]
    accumulated_db: float
    sqnr_db: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the error as a JSON-ready mapping."""
        own = None if self.sqnr_db is None else round(self.sqnr_db, 2)
        return {
            "node": self.node,
            "sources": list(self.sources),
            "sqnr_db": own,
            "accumulated_db": round(self.accumulated_db, 2),
        }


def integer_layers(model: ir.Model) -> list[ir.Node]:
    """Return the layers of *model* that compute in integers, in order of execution."""
    return [
        node
        for node in model.graph
        if precision_of(node) is Precision.INTEGER and facts_of(node).role is Role.COMPUTE
    ]


def accumulated_errors(
    plain: ir.Model,
    quantized: ir.Model,
    batches: Iterable[Feeds],
    make_runner: RunnerFactory,
) -> list[LayerError]:
    """Return the error of every integer layer's result in *quantized* against *plain*."""
    results = {node.name or "": _result(node) for node in integer_layers(quantized)}
    known = {value.name for node in plain.graph for value in node.outputs}
    names = {node: _float_name(value) for node, value in results.items()}
    watched = [node for node in results if names[node] in known]
    if not watched:
        return []
    run_plain = make_runner(plain, [names[node] for node in watched])
    wanted = [results[node].name or "" for node in watched]
    run_quantized = make_runner(quantized, wanted)
    signal, noise = np.zeros(len(watched)), np.zeros(len(watched))
    for feeds in batches:
        pairs = zip(watched, run_plain(feeds), run_quantized(feeds), strict=True)
        for index, (node, want, integers) in enumerate(pairs):
            params = quant_of(results[node])
            have = integers if params is None else params.dequantize(integers)
            signal[index] += np.square(want, dtype=np.float64).sum()
            noise[index] += np.square(have - want, dtype=np.float64).sum()
    origins = {node.name or "": origin_of(node) for node in integer_layers(quantized)}
    return [
        LayerError(node=node, sources=origins[node], accumulated_db=decibels(s, n))
        for node, s, n in zip(watched, signal, noise, strict=True)
    ]


def _result(layer: ir.Node) -> ir.Value:
    """Return the result of *layer*, behind the clamp that its scale takes for granted."""
    value = layer.outputs[0]
    reader = sole_consumer(value)
    if reader is not None and facts_of(reader).role is Role.CLAMP and quant_of(value) is not None:
        return reader.outputs[0]
    return value


def _float_name(value: ir.Value) -> str:
    """Return what the float graph calls *value*: an output took its name along."""
    for reader in value.consumers():
        if is_convert(reader) and reader.outputs[0].is_graph_output():
            return reader.outputs[0].name or ""
    return value.name or ""


def decibels(signal: float, noise: float) -> float:
    """Return the ratio of two powers in decibels, bounded where there is no noise at all."""
    if noise <= 0:
        return _SILENT_DB
    return float(10 * np.log10(signal / noise)) if signal > 0 else -_SILENT_DB


def own_errors(
    layers: Sequence[str],
    truth: Array,
    answer: Callable[[frozenset[str]], Array],
    *,
    in_time: Callable[[], bool],
) -> Mapping[str, float]:
    """Return the SQNR of the model's output in decibels with one of *layers* quantized alone.

    Args:
        layers: names, the ones to measure first in front.
        truth: outputs of the float model.
        answer: returns the outputs of the model with these layers in float.
        in_time: whether to go on.
    """
    found: dict[str, float] = {}
    power = float(np.square(truth, dtype=np.float64).sum())
    for name in layers:
        if not in_time():
            break
        gap = answer(frozenset(layers) - {name}) - truth
        found[name] = decibels(power, float(np.square(gap, dtype=np.float64).sum()))
    return found
