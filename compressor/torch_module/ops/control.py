"""Branches and loops over subgraphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from compressor.torch_module.site import Build, Kernel, Site

_UNBOUNDED = 1 << 62


def _if(site: Site) -> Kernel:
    then, then_reads = site.body("then_branch")
    otherwise, otherwise_reads = site.body("else_branch")

    def run(condition: Tensor, *captured: Tensor) -> tuple[Any, ...]:
        chosen, reads = (then, then_reads) if condition.item() else (otherwise, otherwise_reads)
        return tuple(chosen([], captured[reads]))

    return run


def _loop(site: Site) -> Kernel:
    body, _ = site.body("body")
    given = len(site.node.inputs)
    carried_count = given - 2

    def run(*operands: Any) -> tuple[Any, ...]:  # noqa: ANN401 - tensors
        (count, condition, *carried), captured = operands[:given], operands[given:]
        limit = _UNBOUNDED if count is None else int(count.item())
        going = condition is None or bool(condition.item())
        collected: list[list[Tensor]] = []
        turn = 0
        while going and turn < limit:
            state = (torch.tensor(value, device=site.home.device) for value in (turn, True))
            going_on, *results = body([*state, *carried], captured)
            carried, scanned = results[:carried_count], results[carried_count:]
            collected.append(scanned)
            going, turn = bool(going_on.item()), turn + 1
        stacked = [torch.stack(parts) for parts in zip(*collected, strict=True)]
        return (*carried, *stacked)

    return run


def _scan(site: Site) -> Kernel:
    body, _ = site.body("body")
    given, scans = len(site.node.inputs), site.integer("num_scan_inputs", 1)
    states = given - scans
    results = len(site.node.outputs) - states
    in_axes = site.integers("scan_input_axes", [0] * scans)
    in_back = site.integers("scan_input_directions", [0] * scans)
    out_axes = site.integers("scan_output_axes", [0] * results)
    out_back = site.integers("scan_output_directions", [0] * results)

    def run(*operands: Tensor) -> tuple[Any, ...]:
        state, captured = list(operands[:states]), operands[given:]
        parts = [
            _turned(x.unbind(axis), back)
            for x, axis, back in zip(operands[states:given], in_axes, in_back, strict=True)
        ]
        collected = []
        for slices in zip(*parts, strict=True):
            found = body([*state, *slices], captured)
            state = found[:states]
            collected.append(found[states:])
        rows = zip(zip(*collected, strict=True), out_axes, out_back, strict=True)
        return (*state, *(torch.stack(_turned(row, back), axis) for row, axis, back in rows))

    return run


def _turned(parts: Sequence[Tensor], back: int) -> list[Tensor]:
    return list(reversed(parts)) if back else list(parts)


OPS: Mapping[str, Build] = {"If": _if, "Loop": _loop, "Scan": _scan}
