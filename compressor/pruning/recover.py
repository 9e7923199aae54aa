"""Let the layers of a pruned model make up for what is gone, front to back, without training.

Every layer is re-solved by least squares so that its answers on calibration samples come near to
those of the dense model, its inputs being those that the pruned model now gives it: what earlier
layers got wrong is corrected as far as the layer can. The last layer before a residual sum is
solved for the sum, so that drift in the stream is corrected too. Nothing is learnt from labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.result import Mask, Site
from compressor.calibration.collect import Feeds, RunnerFactory
from compressor.ir.rewrite import add_constant, constant_of, set_constant
from compressor.pruning.sampling import Sampler, sampler_of
from compressor.pruning.solve import Evidence, solve
from compressor.pruning.waves import Task, waves_of

Array = npt.NDArray[Any]

_TARGET_NUMBERS = 48 << 20  # held of the dense model's answers, all layers together
_INPUT_NUMBERS = 32 << 20  # held of what the layers of a wave multiply
_MOST_ROWS = 16
_HELD_BACK = 8  # one of so many batches judges, the others are solved on


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Settings of the re-solving.

    Attributes:
        damping: pull towards the weights as they are, as a share of the mean input variance.
        rounds: repetitions for layers with a Relu behind them.
    """

    damping: float = 0.01
    rounds: int = 6


@dataclass(kw_only=True)
class _Rows:
    """Rows of one layer, gathered batch by batch."""

    inputs: list[Array]
    beside: list[Array]


def recover(
    dense: ir.Model,
    pruned: ir.Model,
    kept: Mapping[Site, Mask],
    batches: Sequence[Feeds] | Any,  # noqa: ANN401 - anything that can be iterated again
    *,
    samples: int,
    make_runner: RunnerFactory,
    settings: Recovery,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Re-solve the layers of *pruned* in place; return how many were changed, and how many not.

    A layer whose new weights do no better on rows that were held back keeps its weights. Memory
    does not grow with the number of samples.

    Args:
        dense: the model before.
        pruned: the model after; layers have the names of those of *dense*.
        kept: what stays of each axis of *dense*.
        batches: feeds by input name, the same each time they are iterated.
        samples: how many samples they hold.
        make_runner: executes a graph and returns chosen values.
        settings: how to solve.
        progress: told after each wave how many of how many are done.
    """
    waves = waves_of(pruned)
    rows = _rows_per_sample(pruned, waves, samples)
    seeds = {task.node: i for i, task in enumerate(task for wave in waves for task in wave)}
    nodes = {node.name or "": node for node in dense.graph}
    samplers = {
        task.node: sampler
        for wave in waves
        for task in wave
        if (sampler := sampler_of(nodes[task.node], rows[task.node], seeds[task.node])) is not None
    }
    waves = [[task for task in wave if task.node in samplers] for wave in waves]
    wanted = _dense_answers(dense, waves, samplers, kept, batches, make_runner)
    counts = {"layers re-solved": 0, "layers left as they were": 0}
    for done, wave in enumerate(waves, start=1):
        for node, changed in _solve_wave(
            pruned, wave, samplers, wanted, batches, make_runner, settings
        ):
            wanted.pop(node)
            counts["layers re-solved" if changed else "layers left as they were"] += 1
        if progress is not None:
            progress(done, len(waves))
    return counts


def _rows_per_sample(model: ir.Model, waves: list[list[Task]], samples: int) -> dict[str, int]:
    """Return how many rows of each layer to look at in each sample, within what memory allows."""
    nodes = {node.name or "": node for node in model.graph}
    answers = sum(_lengths(nodes[task.node])[1] for wave in waves for task in wave)
    rows = {}
    for wave in waves:
        inputs = sum(_lengths(nodes[task.node])[0] for task in wave)
        most = min(_TARGET_NUMBERS // max(answers, 1), _INPUT_NUMBERS // max(inputs, 1))
        for task in wave:
            rows[task.node] = max(1, min(_MOST_ROWS, most // max(samples, 1)))
    return rows


def _lengths(node: ir.Node) -> tuple[int, int]:
    """Return how many numbers a row of *node*'s inputs and of its answers holds."""
    weight = constant_of(node.inputs[1])
    if weight is None:
        return 0, 0
    return node.attributes.get_int("group", 1) * prod(weight.shape[1:]), len(weight)


def _dense_answers(
    dense: ir.Model,
    waves: list[list[Task]],
    samplers: Mapping[str, Sampler],
    kept: Mapping[Site, Mask],
    batches: Any,  # noqa: ANN401 - as in recover
    make_runner: RunnerFactory,
) -> dict[str, list[Array]]:
    """Return by layer and batch what the dense model answers in the chosen rows."""
    tasks = [task for wave in waves for task in wave]
    names = list(dict.fromkeys(task.target for task in tasks))
    run = make_runner(dense, names)
    found: dict[str, list[Array]] = {task.node: [] for task in tasks}
    nodes = {node.name or "": node for node in dense.graph}
    for number, feeds in enumerate(batches):
        values = dict(zip(names, run(feeds), strict=True))
        count = len(next(iter(feeds.values())))
        for task in tasks:
            answers = samplers[task.node].outputs(values[task.target], number, count)
            mask = kept.get((task.target, _channel_axis(nodes[task.node], values[task.target])))
            found[task.node].append(answers if mask is None else answers[:, mask])
    return found


def _channel_axis(node: ir.Node, answers: Array) -> int:
    return 1 if node.op_type == "Conv" else answers.ndim - 1


def _solve_wave(
    pruned: ir.Model,
    wave: list[Task],
    samplers: Mapping[str, Sampler],
    wanted: Mapping[str, list[Array]],
    batches: Any,  # noqa: ANN401 - as in recover
    make_runner: RunnerFactory,
    settings: Recovery,
) -> list[tuple[str, bool]]:
    gathered = _gather(pruned, wave, samplers, batches, make_runner)
    nodes = {node.name or "": node for node in pruned.graph}
    result = []
    for task in wave:
        found = gathered.pop(task.node)
        evidence = [
            _evidence(task, found, wanted[task.node], held) for held in (False, True)
        ]
        result.append((task.node, _improve(nodes[task.node], evidence[0], evidence[1], settings)))
    return result


def _gather(
    pruned: ir.Model,
    wave: list[Task],
    samplers: Mapping[str, Sampler],
    batches: Any,  # noqa: ANN401 - as in recover
    make_runner: RunnerFactory,
) -> dict[str, _Rows]:
    """Run *pruned* as far as the layers of *wave* and return the chosen rows."""
    fed = {value.name for value in pruned.graph.inputs}
    named = [name for task in wave for name in (task.source, task.beside) if name is not None]
    names = [name for name in dict.fromkeys(named) if name not in fed]
    run = make_runner(pruned, names) if names else None
    gathered = {task.node: _Rows(inputs=[], beside=[]) for task in wave}
    for number, feeds in enumerate(batches):
        values = dict(feeds) | dict(zip(names, run(feeds) if run else [], strict=True))
        count = len(next(iter(feeds.values())))
        for task in wave:
            sampler, rows = samplers[task.node], gathered[task.node]
            rows.inputs.append(sampler.inputs(values[task.source], number, count))
            if task.beside is not None:
                rows.beside.append(sampler.outputs(values[task.beside], number, count))
    return gathered


def _evidence(task: Task, rows: _Rows, wanted: list[Array], held_back: bool) -> Evidence:
    """Join the batches that are held back, or all others; with one batch only, it does for both."""
    numbers = range(len(rows.inputs))
    chosen = [i for i in numbers if (i % _HELD_BACK == _HELD_BACK - 1) == held_back] or list(numbers)
    return Evidence(
        inputs=np.concatenate([rows.inputs[i] for i in chosen], axis=1),
        wanted=np.concatenate([wanted[i] for i in chosen]),
        beside=np.concatenate([rows.beside[i] for i in chosen]) if rows.beside else None,
        bounds=task.bounds,
    )


def _improve(node: ir.Node, evidence: Evidence, judge: Evidence, settings: Recovery) -> bool:
    """Give *node* the weights that *evidence* suggests where they do better on *judge*."""
    value, weight = node.inputs[1], constant_of(node.inputs[1])
    if value is None or weight is None or node.graph is None:
        raise ValueError(f"'{node.name}' has no constant weight")
    bias_value = node.inputs[2] if len(node.inputs) > 2 else None
    bias = constant_of(bias_value)
    shift = np.zeros(len(weight), np.float32) if bias is None else bias
    flat = weight.reshape(len(weight), -1)
    new, moved = solve(evidence, flat, shift, damping=settings.damping, rounds=settings.rounds)
    if not judge.error(new, moved) < judge.error(flat, shift):
        return False
    set_constant(value, new.reshape(weight.shape))
    if bias_value is None:
        bias_value = add_constant(node.graph, f"{node.name}_bias", moved)
        node.resize_inputs(3)
        node.replace_input_with(2, bias_value)
    else:
        set_constant(bias_value, moved)
    return True
