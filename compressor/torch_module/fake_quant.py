"""Fake quantization: real numbers rounded to what their integers stand for.

Gradients pass straight through where the number lies within the range and stop where it saturates
(Bengio, Leonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons",
2013; Jacob et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from compressor.ir.quant import IntegerType, QuantParams


class _RoundToGrid(torch.autograd.Function):  # type: ignore[misc]
    """``(clip(round(x / scale) + zero, low, high) - zero) * scale``, ties to even."""

    @staticmethod
    def forward(x: Tensor, scale: Tensor, zero: Tensor, low: int, high: int) -> Tensor:
        steps = torch.round(x / scale) + zero
        return ((steps.clamp(low, high) - zero) * scale).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ANN401, ARG004
        x, scale, zero, low, high = inputs
        steps = torch.round(x / scale) + zero
        ctx.save_for_backward((steps >= low) & (steps <= high))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # noqa: ANN401
        (within,) = ctx.saved_tensors
        return gradient * within, None, None, None, None


def round_to_grid(x: Tensor, scale: Tensor, zero: Tensor, low: int, high: int) -> Tensor:
    """Return *x* rounded to the grid; *scale* and *zero* broadcast against it."""
    rounded: Tensor = _RoundToGrid.apply(x, scale, zero, low, high)
    return rounded


def fake_quantizer(params: QuantParams, *, constant: bool) -> Callable[[Tensor], Tensor]:
    """Return the function that rounds a tensor to the grid of *params*.

    Activations are divided in float32, as QuantizeLinear does; a *constant* in float64, as the
    exporters do, which int32 biases need.
    """
    dtype = torch.float64 if constant or params.dtype is IntegerType.INT32 else torch.float32
    scale = torch.tensor(params.scale, dtype=dtype)
    zero = torch.tensor(params.zero_point, dtype=dtype)
    low, high = params.dtype.low, params.dtype.high
    placed: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def run(x: Tensor) -> Tensor:
        if x.device not in placed:
            shape = _broadcast_shape(x.ndim, params.axis)
            placed[x.device] = scale.reshape(shape).to(x.device), zero.reshape(shape).to(x.device)
        return round_to_grid(x.to(dtype), *placed[x.device], low, high).to(x.dtype)

    return run


def _broadcast_shape(ndim: int, axis: int | None) -> list[int]:
    shape = [1] * ndim
    if axis is not None:
        shape[axis] = -1
    return shape


def quantize_at_run_time(x: Tensor) -> Tensor:
    """Return *x* rounded to 8 bits over its own range, as ONNX's DynamicQuantizeLinear does it."""
    scale, zero = dynamic_parameters(x.float())
    return round_to_grid(x.float(), scale, zero, 0, 255).to(x.dtype)


def dynamic_parameters(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return scale and zero point, as float32 scalars, of a range that includes zero."""
    low = x.detach().amin().clamp(max=0)
    high = x.detach().amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    return scale, torch.round((-low / scale).clamp(0, 255))
