"""Round weights so that a layer's output, not each weight, is nearest to the float one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.moments import Moments
from compressor.ir.annotations import Precision, precision_of, quant_of, set_quant
from compressor.ir.op_facts import Role, facts_of
from compressor.ir.rewrite import add_constant, constant_of, set_constant
from compressor.passes.protocol import Changes, PassContext, Skipped
from compressor.quantizers.affine import WEIGHT_STEPS, bias_params

_BLOCK = 64
_LEAST_VARIANCE = 1e-12

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RoundWeights:
    """Second-order rounding on calibration moments, then an exact correction of the mean.

    Columns are rounded one after the other; what each leaves over is spread onto the columns not
    yet rounded so that the expected squared output error stays least (Frantar et al., "GPTQ",
    2022, after Hassibi and Stork's Optimal Brain Surgeon, 1993). The covariance is centred: a
    shift of the mean output goes into the bias (Nagel et al., "Data-Free Quantization", 2019).

    Attributes:
        damping: share of the mean variance added to every variance, beside that of unknowns to
            input vectors: a covariance of 100 vectors says little about 1,000 directions.
    """

    damping: float = 0.05

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Replace the weights of integer layers by points of their integer grid."""
        moments = {} if context.table is None else context.table.moments
        rounded, skipped = 0, []
        for node in list(model.graph):
            if (
                precision_of(node) is not Precision.INTEGER
                or facts_of(node).role is not Role.COMPUTE
            ):
                continue
            found = moments.get(node.name or "")
            if found is None:
                skipped.append(Skipped(node=node.name or "", reason="no moments were collected"))
                continue
            if node.op_type == "MatMul":
                skipped.append(Skipped(node=node.name or "", reason="it has no bias to correct"))
                continue
            self._round(node, found)
            rounded += 1
        return Changes(counts={"layers rounded": rounded}, skipped=tuple(skipped))

    def _round(self, node: ir.Node, moments: Moments) -> None:
        weight_value = node.inputs[1]
        weight, params = constant_of(weight_value), quant_of(weight_value)
        if weight_value is None or weight is None or params is None or params.axis != 0:
            raise ValueError(f"'{node.name}' is not a canonical integer layer")
        groups, width = moments.mean.shape
        original = np.asarray(weight, np.float64).reshape(groups, -1, width)
        scale = np.asarray(params.scale, np.float64).reshape(groups, -1)
        damping = self.damping + width / moments.count
        grid = round_columns(original, scale, moments.covariance, damping)
        shift = np.einsum("gok,gk->go", grid - original, moments.mean).ravel()
        set_constant(weight_value, grid.reshape(weight.shape).astype(np.float32))
        _shift_bias(node, -shift)


def _shift_bias(node: ir.Node, shift: Matrix) -> None:
    """Add *shift*, shape [channels], to the bias of *node*, making one if there is none."""
    bias_value = node.inputs[2] if len(node.inputs) > 2 else None
    if bias_value is not None:
        bias = np.asarray(constant_of(bias_value), np.float64)
        set_constant(bias_value, (bias + shift).astype(np.float32))
        return
    activation, weight = quant_of(node.inputs[0]), quant_of(node.inputs[1])
    if node.graph is None or activation is None or weight is None:
        raise ValueError(f"'{node.name}' is not an integer layer of a graph")
    bias_value = add_constant(node.graph, f"{node.name}_bias", shift.astype(np.float32))
    set_quant(bias_value, bias_params(activation, weight))
    node.resize_inputs(3)
    node.replace_input_with(2, bias_value)


def round_columns(weight: Matrix, scale: Matrix, covariance: Matrix, damping: float) -> Matrix:
    """Return *weight* on its integer grid with the least expected squared output error.

    Args:
        weight: shape [groups, outputs, K].
        scale: step of each output, shape [groups, outputs].
        covariance: of the inputs, shape [groups, K, K].
        damping: share of the mean variance added to the diagonal.
    """
    width = weight.shape[2]
    variance = np.einsum("gkk->gk", covariance)
    floor = np.maximum(damping * variance.mean(axis=1, keepdims=True), _LEAST_VARIANCE)
    order = np.argsort(-variance.sum(axis=0), kind="stable")
    damped = covariance.astype(np.float64) + np.eye(width) * floor[:, :, None]
    hessian = damped[:, order][:, :, order]
    spread = _inverse_factor(hessian).astype(np.float32)
    remaining = weight[:, :, order].astype(np.float32)
    pruned = remaining == 0  # zeros stay: a file may store what lies between them
    steps = np.empty_like(remaining)
    errors = np.empty_like(remaining)
    for start in range(0, width, _BLOCK):
        stop = min(start + _BLOCK, width)
        for column in range(start, stop):
            current = remaining[:, :, column]
            rounded = np.clip(np.rint(current / scale), -WEIGHT_STEPS, WEIGHT_STEPS)
            steps[:, :, column] = np.where(pruned[:, :, column], 0.0, rounded)
            left = (current - steps[:, :, column] * scale) / spread[:, None, column, column]
            errors[:, :, column] = left
            remaining[:, :, column:stop] -= left[:, :, None] * spread[:, None, column, column:stop]
        remaining[:, :, stop:] -= errors[:, :, start:stop] @ spread[:, start:stop, stop:]
    result = np.empty_like(weight)
    result[:, :, order] = steps * scale[:, :, None]
    return result


def _inverse_factor(matrix: Matrix) -> Matrix:
    """Return upper triangular U with ``U^T U`` the inverse of *matrix*, for a stack of them.

    Row i of U tells how an error in column i spreads. With rows and columns reversed, the lower
    Cholesky factor of *matrix* becomes an upper one, R R^T; then U is the inverse of R. No inverse
    of *matrix* itself is formed, which rounding could leave indefinite.
    """
    reversed_factor = np.linalg.cholesky(matrix[:, ::-1, ::-1])
    return _inverse_upper(np.ascontiguousarray(reversed_factor[:, ::-1, ::-1]))


def _inverse_upper(factor: Matrix) -> Matrix:
    """Return the inverse of upper triangular *factor*, for a stack of them, by halves."""
    width = factor.shape[1]
    if width <= _BLOCK:
        return np.asarray(np.linalg.inv(factor), np.float64)
    half = width // 2
    left = _inverse_upper(factor[:, :half, :half])
    right = _inverse_upper(factor[:, half:, half:])
    result = np.zeros_like(factor)
    result[:, :half, :half], result[:, half:, half:] = left, right
    result[:, :half, half:] = -left @ factor[:, :half, half:] @ right
    return result
