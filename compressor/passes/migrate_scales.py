"""Even out the channels of activations, where the layers behind can take their scales over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.channel_sites import ChannelSite, channel_axis, channel_sites
from compressor.calibration.channels import ChannelStatistics
from compressor.ir.annotations import stamp_origin
from compressor.ir.rewrite import add_constant, constant_of, free_name, set_constant
from compressor.passes.protocol import Changes, PassContext, Skipped
from compressor.quantizers.affine import WEIGHT_STEPS

_ACTIVATION_STEPS = 255
_MOST = 2.0**12
_EXPONENTS = tuple(np.linspace(0.1, 1.0, 10))
_NOT_WORTH_IT = "its channels are even enough"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MigrateScales:
    """Divide channels of an activation by factors, and multiply the weights that read them.

    One scale for a whole activation wastes its steps on the largest channel; weights have a scale
    for each output. Factors ``max|x|^a / max|w|^(1-a)`` move the difficulty from one to the other
    (Xiao et al., "SmoothQuant", 2023; for neighbouring layers Nagel et al., "Data-Free
    Quantization", 2019). ``a`` is chosen for each site by the expected error of its layers.

    Attributes:
        least_gain: share of the expected error that must go; small gains are noise.
    """

    least_gain: float = 0.5

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Scale the channels of *model* by the channel statistics in *context*."""
        counts = {"into parameters": 0, "by a multiplication": 0}
        skipped = []
        for site in channel_sites(model.graph):
            name = site.value.name or ""
            statistics = [s for layer in site.layers if (s := context.channels.get(_input(layer)))]
            if len(statistics) < len(site.layers):
                skipped.append(Skipped(node=name, reason="its channels were not observed"))
                continue
            factors, gain = best_factors(site, statistics)
            if gain < self.least_gain:
                skipped.append(Skipped(node=name, reason=_NOT_WORTH_IT))
                continue
            for layer in site.layers:
                _scale_inputs(layer, factors)
            if site.maker is not None:
                _scale_results(site.maker, 1 / factors)
                counts["into parameters"] += 1
            else:
                _insert_multiplication(site, 1 / factors)
                counts["by a multiplication"] += 1
        return Changes(counts=counts, skipped=tuple(skipped))


def _input(layer: ir.Node) -> str:
    value = layer.inputs[0]
    return "" if value is None else value.name or ""


def best_factors(site: ChannelSite, statistics: list[ChannelStatistics]) -> tuple[Array, float]:
    """Return the factor of each channel, and the share of the expected error that they remove."""
    weights = [_by_channel(layer) for layer in site.layers]
    reach = np.max([np.maximum(np.abs(s.low), np.abs(s.high)) for s in statistics], axis=0)
    size = np.max([np.abs(w).max(axis=(1, 3)).ravel() for w in weights], axis=0)
    alive = (reach > 0) & (size > 0)
    before = _error(weights, statistics, np.ones_like(reach))
    best, least = np.ones_like(reach), before
    for exponent in _EXPONENTS:
        raw = np.where(alive, reach, 1.0) ** exponent / np.where(alive, size, 1.0) ** (1 - exponent)
        level = np.exp(np.log(raw[alive]).mean()) if alive.any() else 1.0
        factors = np.where(alive, np.clip(raw / level, 1 / _MOST, _MOST), 1.0)
        factors = factors.astype(np.float32).astype(np.float64)
        error = _error(weights, statistics, factors)
        if error < least:
            best, least = factors, error
    return best, 1 - least / before if before > 0 else 0.0


def _error(weights: list[Array], statistics: list[ChannelStatistics], factors: Array) -> float:
    """Return the expected squared error of the layers' results, rounding being uniform noise.

    A step ``d`` adds ``d^2 / 12``: that of the activation through all weights, that of the weights
    of each output through the power of the inputs. Errors count relative to the results' power.
    """
    total = 0.0
    for weight, seen in zip(weights, statistics, strict=True):
        groups, _, own, taps = weight.shape
        scaled = weight * factors.reshape(groups, 1, own, 1)
        high, low = (seen.high / factors).max(), (seen.low / factors).min()
        step = (max(high, 0.0) - min(low, 0.0)) / _ACTIVATION_STEPS
        weight_steps = np.abs(scaled).max(axis=(2, 3)) / WEIGHT_STEPS
        power = taps * (seen.power / factors**2).reshape(groups, own).sum(axis=1)
        noise = step**2 * np.square(scaled).sum() + (np.square(weight_steps).sum(axis=1) @ power)
        signal = (np.square(weight).sum(axis=(1, 3)).ravel() * seen.power).sum()
        total += noise / signal if signal > 0 else 0.0
    return float(total)


def _by_channel(layer: ir.Node) -> Array:
    """Return the weights of *layer* as [groups, outputs, input channels, taps]."""
    weight = np.asarray(constant_of(layer.inputs[1]), np.float64)
    if layer.op_type == "Gemm":
        transposed = layer.attributes.get_int("transB", 0)
        return (weight if transposed else weight.T)[None, :, :, None]
    groups = layer.attributes.get_int("group", 1)
    return weight.reshape(groups, weight.shape[0] // groups, weight.shape[1], -1)


def _scale_inputs(layer: ir.Node, factors: Array) -> None:
    """Multiply the weights of *layer* that read channel ``c`` by ``factors[c]``."""
    value = layer.inputs[1]
    weight = np.asarray(constant_of(value), np.float64)
    if value is None:
        raise ValueError("a layer has weights")
    if layer.op_type == "Gemm":
        scaled = weight * (factors if layer.attributes.get_int("transB", 0) else factors[:, None])
    else:
        groups = layer.attributes.get_int("group", 1)
        own = np.repeat(factors.reshape(groups, -1), weight.shape[0] // groups, axis=0)
        scaled = weight * own.reshape(*own.shape, *[1] * (weight.ndim - 2))
    set_constant(value, scaled.astype(np.float32))


def _scale_results(node: ir.Node, factors: Array) -> None:
    """Multiply channel ``c`` of what *node* makes by ``factors[c]``."""
    is_column = node.op_type == "Gemm" and not node.attributes.get_int("transB", 0)
    for value in node.inputs[1:]:
        array = constant_of(value)
        if value is not None and array is not None:
            shape = [1] * array.ndim
            shape[-1 if is_column else 0] = -1
            set_constant(value, (array * factors.reshape(shape)).astype(np.float32))


def _insert_multiplication(site: ChannelSite, factors: Array) -> None:
    """Let the layers' branch read the activation times *factors*."""
    value, graph = site.value, site.readers[0].graph
    if graph is None:
        raise ValueError("the site is in no graph")
    kernel = constant_of(site.layers[0].inputs[1])
    behind = [1] * (0 if kernel is None or channel_axis(site.layers[0]) == -1 else kernel.ndim - 2)
    along = factors.astype(np.float32).reshape(-1, *behind)
    constant = add_constant(graph, f"{value.name}_evening", along)
    node = ir.node("Mul", [value, constant], name=free_name(graph, f"{value.name}_even"))
    result = node.outputs[0]
    result.name = free_name(graph, f"{value.name}_evened")
    result.shape, result.type = value.shape, value.type
    stamp_origin(node, *site.layers)
    for reader in site.readers:
        for index, source in enumerate(reader.inputs):
            if source is value:
                reader.replace_input_with(index, result)
    graph.insert_before(_first(graph, site.readers), node)


def _first(graph: ir.Graph, nodes: tuple[ir.Node, ...]) -> ir.Node:
    return next(node for node in graph if node in nodes)
