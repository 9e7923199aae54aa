"""Set the weights that matter least to zero; the others make up for them where samples are known.

Zeros buy a smaller download, not speed: no runtime that edgec writes for skips them on a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.moments import Moments
from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import constant_of, set_constant
from compressor.ir.sparsity import Sparsity
from compressor.passes.protocol import Changes, PassContext, Skipped

_FEWEST_WEIGHTS = 256
_DAMPING = 0.01
_ROUNDS = 30

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Sparsify:
    """Zeros by magnitude, or by what they cost the layer's outputs where its moments are known.

    With moments, a weight counts by the power that it adds to the outputs (Sun et al., "A Simple
    and Effective Pruning Approach for Large Language Models", 2024), and the weights that stay are
    fitted anew by least squares. Convolutions with groups keep their weights, of which there are
    few.

    Attributes:
        sparsity: how many zeros; None changes nothing.
        per_layer: the same share in every layer, instead of the smallest of all layers together.
    """

    sparsity: Sparsity | None = None
    per_layer: bool = False

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Set weights of *model* to zero."""
        if self.sparsity is None:
            return Changes(counts={"weights set to zero": 0})
        moments = {} if context.table is None else context.table.moments
        layers, skipped = _layers(model)
        shares = self._shares(layers, self.sparsity)
        zeroed = 0
        for node in layers:
            zeroed += _thin(node, shares[node], self.sparsity, moments.get(node.name or ""))
        return Changes(counts={"weights set to zero": zeroed}, skipped=tuple(skipped))

    def _shares(self, layers: list[ir.Node], sparsity: Sparsity) -> dict[ir.Node, float]:
        """Return the share of zeros of each layer: where all weights are small, more go."""
        if self.per_layer or sparsity.pattern is not None or not layers:
            return dict.fromkeys(layers, sparsity.share)
        sizes = {node: np.abs(_weight(node)) for node in layers}
        relative = {
            node: w / max(float(np.sqrt((w**2).mean())), 1e-30) for node, w in sizes.items()
        }
        limit = np.quantile(np.concatenate([w.ravel() for w in relative.values()]), sparsity.share)
        return {node: float((w < limit).mean()) for node, w in relative.items()}


def _relative(weight: Matrix) -> Matrix:
    """Return magnitudes in terms of the layer's root mean square."""
    return np.abs(weight) / max(float(np.sqrt((weight**2).mean())), 1e-30)


def _layers(model: ir.Model) -> tuple[list[ir.Node], list[Skipped]]:
    layers, skipped = [], []
    for node in model.graph:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        array = constant_of(node.inputs[1])
        transposed = node.op_type == "Gemm" and not node.attributes.get_int("transB", 0)
        if array is None or quant_of(node.inputs[1]) is not None or transposed:
            skipped.append(Skipped(node=node.name or "", reason="its weights are not plain floats"))
        elif array.size < _FEWEST_WEIGHTS or node.attributes.get_int("group", 1) > 1:
            skipped.append(Skipped(node=node.name or "", reason="it has few weights"))
        else:
            layers.append(node)
    return layers, skipped


def _weight(node: ir.Node) -> Matrix:
    """Return the weight as [outputs, taps * channels]: runs along the input channels."""
    array = constant_of(node.inputs[1])
    if array is None:
        raise ValueError(f"'{node.name}' has no constant weight")
    return array.reshape(len(array), -1)[:, _by_tap(array.shape)].astype(np.float64)


def _by_tap(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the order of a filter's weights that puts channels innermost."""
    return np.arange(prod(shape[1:])).reshape(shape[1], -1).T.ravel()


def _thin(node: ir.Node, share: float, sparsity: Sparsity, moments: Moments | None) -> int:
    value, array = node.inputs[1], constant_of(node.inputs[1])
    if value is None or array is None:
        raise ValueError(f"'{node.name}' has no constant weight")
    order, weight = _by_tap(array.shape), _weight(node)
    zero = weight == 0
    if moments is None:
        gone = _chosen(np.abs(weight), zero, share, sparsity.pattern, array.shape[1])
        thin = np.where(gone, 0.0, weight)
    else:
        covariance = moments.covariance[0].astype(np.float64)[np.ix_(order, order)]
        cost = weight**2 * np.diag(covariance)
        gone = _chosen(cost, zero, share, sparsity.pattern, array.shape[1])
        thin = _refit(weight, covariance, gone)
        _shift_bias(node, (weight - thin) @ moments.mean[0][order])
    made = np.empty_like(weight)
    made[:, order] = thin
    set_constant(value, made.reshape(array.shape).astype(np.float32))
    return int(((thin == 0) & ~zero).sum())


def _chosen(
    cost: Matrix, zero: Mask, share: float, pattern: tuple[int, int] | None, channels: int
) -> Mask:
    """Return which weights go: the cheapest *share*, or by *pattern* within each run."""
    cost = np.where(zero, -1.0, cost)
    if pattern is None:
        count = round(share * cost.size)
        flat = np.zeros(cost.size, np.bool_)
        flat[np.argsort(cost, axis=None, kind="stable")[:count]] = True
        return flat.reshape(cost.shape)
    stay, run = pattern
    runs = np.zeros(cost.shape, np.bool_)
    width = channels if channels % run == 0 else cost.shape[1]
    whole = cost.shape[1] // run * run if width == cost.shape[1] else cost.shape[1]
    parts = cost[:, :whole].reshape(len(cost), -1, run)
    ranks = parts.argsort(axis=2, kind="stable").argsort(axis=2, kind="stable")
    runs[:, :whole] = (ranks < run - stay).reshape(len(cost), whole)
    return runs


def _refit(weight: Matrix, covariance: Matrix, gone: Mask) -> Matrix:
    """Return the weights without those *gone* whose expected squared output error is least.

    Conjugate gradients over the weights that stay, all outputs at once, from the weights as they
    are: no step makes the error larger.
    """
    variance = float(np.trace(covariance)) / len(covariance)
    hessian = covariance + np.eye(len(covariance)) * max(_DAMPING * variance, 1e-12)
    scale = np.where(gone, 0.0, 1.0 / np.diag(hessian))
    made = np.where(gone, 0.0, weight)
    residual = np.where(gone, 0.0, (weight - made) @ hessian)
    direction = scale * residual
    power = (residual * direction).sum(axis=1)
    for _ in range(_ROUNDS):
        image = np.where(gone, 0.0, direction @ hessian)
        curve = (direction * image).sum(axis=1)
        step = np.divide(power, curve, out=np.zeros_like(power), where=curve > 0)[:, None]
        made += step * direction
        residual -= step * image
        before, power = power, (residual * scale * residual).sum(axis=1)
        turn = np.divide(power, before, out=np.zeros_like(power), where=before > 0)[:, None]
        direction = scale * residual + turn * direction
    return made


def _shift_bias(node: ir.Node, shift: Matrix) -> None:
    """Keep the mean output, where there is a bias to do it with."""
    value = node.inputs[2] if len(node.inputs) > 2 else None
    bias = constant_of(value)
    if value is not None and bias is not None:
        set_constant(value, (bias + shift).astype(np.float32))
