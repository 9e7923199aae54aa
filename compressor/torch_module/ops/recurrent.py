"""Recurrent layers, step by step: LSTM, GRU and RNN as ONNX defines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site

State = tuple[Tensor, ...]
_Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """One direction of a layer.

    Attributes:
        gates: functions f, g, h of the standard, in its order.
        clip: bound on what goes into a gate, None without one.
        linear_before_reset, input_forget: variants of GRU and LSTM.
    """

    gates: tuple[_Function, ...]
    clip: float | None
    linear_before_reset: bool = False
    input_forget: bool = False

    def gate(self, index: int, x: Tensor) -> Tensor:
        return self.gates[index](x if self.clip is None else x.clamp(-self.clip, self.clip))


@dataclass(frozen=True, kw_only=True)
class _Weights:
    """Constants of one direction; *peephole* is None but for LSTM."""

    w: Tensor
    r: Tensor
    bias_w: Tensor | None
    bias_r: Tensor | None
    peephole: Tensor | None = None


_Step = Callable[[_Cell, Tensor, State, _Weights], State]


def _lstm_step(cell: _Cell, x: Tensor, state: State, weights: _Weights) -> State:
    h, c = state
    i, o, f, g = functional.linear(h, weights.r, weights.bias_r).add(x).chunk(4, -1)
    p_i, p_o, p_f = (0, 0, 0) if weights.peephole is None else weights.peephole.chunk(3)
    i = cell.gate(0, i + p_i * c)
    f = 1 - i if cell.input_forget else cell.gate(0, f + p_f * c)
    c = f * c + i * cell.gate(1, g)
    return cell.gate(0, o + p_o * c) * cell.gates[2](c), c


def _gru_step(cell: _Cell, x: Tensor, state: State, weights: _Weights) -> State:
    (h,) = state
    size = h.shape[-1]
    bias = (
        torch.zeros(3 * size, dtype=h.dtype, device=h.device)
        if weights.bias_r is None
        else weights.bias_r
    )
    zr = functional.linear(h, weights.r[: 2 * size], bias[: 2 * size])
    z = cell.gate(0, x[..., :size] + zr[..., :size])
    r = cell.gate(0, x[..., size : 2 * size] + zr[..., size:])
    inner, inner_bias = weights.r[2 * size :], bias[2 * size :]
    if cell.linear_before_reset:
        recurrent = r * functional.linear(h, inner, inner_bias)
    else:
        recurrent = functional.linear(r * h, inner, inner_bias)
    new = cell.gate(1, x[..., 2 * size :] + recurrent)
    return ((1 - z) * new + z * h,)


def _rnn_step(cell: _Cell, x: Tensor, state: State, weights: _Weights) -> State:
    return (cell.gate(0, x + functional.linear(state[0], weights.r, weights.bias_r)),)


def _layer(step: _Step, defaults: Sequence[str], states: int) -> Build:
    """Build a layer of *step*: its *defaults* are activations; *states* tensors of state."""

    def build(site: Site) -> Kernel:
        directions = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
        backwards = directions[site.text("direction", "forward")]
        cells = [_cell(site, defaults, index) for index in range(len(backwards))]
        batch_first = bool(site.integer("layout", 0))

        def run(x: Tensor, w: Tensor, r: Tensor, *rest: Tensor | None) -> tuple[Tensor, ...]:
            padded = [*rest, *[None] * (5 - len(rest))]
            b, lengths, initial = padded[0], padded[1], padded[2:]
            peephole = initial[states] if states == 2 else None
            x = x.transpose(0, 1) if batch_first else x
            found = []
            for index, (cell, back) in enumerate(zip(cells, backwards, strict=True)):
                weights = _weights_of(index, w, r, b, peephole)
                start = tuple(
                    _initial(given, index, x, r, batch_first=batch_first)
                    for given in initial[:states]
                )
                found.append(_unroll(step, cell, x, start, weights, lengths=lengths, back=back))
            return _joined(found, batch_first=batch_first)

        return run

    return build


def _weights_of(
    index: int, w: Tensor, r: Tensor, b: Tensor | None, peephole: Tensor | None
) -> _Weights:
    bias_w, bias_r = [None, None] if b is None else list(b[index].chunk(2))
    own = None if peephole is None else peephole[index]
    return _Weights(w=w[index], r=r[index], bias_w=bias_w, bias_r=bias_r, peephole=own)


def _initial(
    given: Tensor | None, index: int, x: Tensor, r: Tensor, *, batch_first: bool
) -> Tensor:
    if given is None:
        return torch.zeros(x.shape[1], r.shape[-1], dtype=x.dtype, device=x.device)
    return given[:, index] if batch_first else given[index]


def _unroll(
    step: _Step,
    cell: _Cell,
    x: Tensor,
    state: State,
    weights: _Weights,
    *,
    lengths: Tensor | None,
    back: bool,
) -> tuple[Tensor, State]:
    """Return outputs [time, batch, hidden] and the last state; beyond its length a sample rests."""
    fed = functional.linear(x, weights.w, weights.bias_w)
    outputs: list[Tensor] = []
    times = range(x.shape[0])
    for time in reversed(times) if back else times:
        new = step(cell, fed[time], state, weights)
        shown = new[0]
        if lengths is not None:
            running = (time < lengths.to(x.device))[:, None]
            new = tuple(torch.where(running, a, b) for a, b in zip(new, state, strict=True))
            shown = torch.where(running, shown, torch.zeros_like(shown))
        state = new
        outputs.append(shown)
    return torch.stack(outputs[::-1] if back else outputs), state


def _joined(found: list[tuple[Tensor, State]], *, batch_first: bool) -> tuple[Tensor, ...]:
    """Return Y [time, directions, batch, hidden], last states [directions, batch, hidden]."""
    y = torch.stack([outputs for outputs, _ in found], 1)
    last = [torch.stack(parts) for parts in zip(*(state for _, state in found), strict=True)]
    if batch_first:
        return (y.permute(2, 0, 1, 3), *(part.transpose(0, 1) for part in last))
    return (y, *last)


def _cell(site: Site, defaults: Sequence[str], direction: int) -> _Cell:
    count = len(defaults)
    names = site.node.attributes.get_strings("activations") or [*defaults, *defaults]
    alphas = list(site.node.attributes.get_floats("activation_alpha") or [])
    betas = list(site.node.attributes.get_floats("activation_beta") or [])
    functions = []
    for position, name in enumerate(names):
        function = _function(site, name, alphas, betas)
        if direction * count <= position < (direction + 1) * count:
            functions.append(function)
    return _Cell(
        gates=tuple(functions),
        clip=site.number("clip", 0.0) if site.has("clip") else None,
        linear_before_reset=bool(site.integer("linear_before_reset", 0)),
        input_forget=bool(site.integer("input_forget", 0)),
    )


_WITH_ALPHA = {"Affine": 1.0, "LeakyRelu": 0.01, "ThresholdedRelu": 1.0, "ScaledTanh": 1.0,
               "HardSigmoid": 0.2, "Elu": 1.0}  # fmt: skip
_WITH_BETA = {"Affine": 0.0, "ScaledTanh": 1.0, "HardSigmoid": 0.5}


def _function(site: Site, name: str, alphas: list[float], betas: list[float]) -> _Function:
    """Return the activation *name*, which takes its parameters off the lists."""
    alpha = alphas.pop(0) if name in _WITH_ALPHA and alphas else _WITH_ALPHA.get(name, 0.0)
    beta = betas.pop(0) if name in _WITH_BETA and betas else _WITH_BETA.get(name, 0.0)
    table: dict[str, _Function] = {
        "Relu": torch.relu,
        "Tanh": torch.tanh,
        "Sigmoid": torch.sigmoid,
        "Softsign": functional.softsign,
        "Softplus": functional.softplus,
        "Affine": lambda x: alpha * x + beta,
        "LeakyRelu": lambda x: functional.leaky_relu(x, alpha),
        "ThresholdedRelu": lambda x: torch.where(x >= alpha, x, torch.zeros_like(x)),
        "ScaledTanh": lambda x: alpha * torch.tanh(beta * x),
        "HardSigmoid": lambda x: (alpha * x + beta).clamp(0, 1),
        "Elu": lambda x: functional.elu(x, alpha),
    }
    if name not in table:
        raise site.refused(f"the activation {name}")
    return table[name]


OPS: Mapping[str, Build] = {
    "GRU": _layer(_gru_step, ("Sigmoid", "Tanh"), 1),
    "LSTM": _layer(_lstm_step, ("Sigmoid", "Tanh", "Tanh"), 2),
    "RNN": _layer(_rnn_step, ("Tanh",), 1),
}
