"""Let the layers of a pruned model make up for what is gone, front to back, without training.

Every layer is re-solved by least squares so that its answers on calibration samples come near to
those of the dense model, its inputs being those that the pruned model now gives it: what earlier
layers got wrong is corrected as far as the layer can. The last layer before a residual sum is
solved for the sum, so that drift in the stream is corrected too. Nothing is learnt from labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.result import Mask, Site
from compressor.ir.rewrite import add_constant, constant_of, set_constant
from compressor.passes.protocol import Changes, PassContext
from compressor.pruning.evidence import Evidence, Judge
from compressor.pruning.sampling import Sampler, sampler_of
from compressor.pruning.solve import Problem, solve
from compressor.pruning.waves import Task, waves_of

Array = npt.NDArray[Any]

_TARGET_NUMBERS = 48 << 20  # held of the dense model's answers, all layers together
_INPUT_NUMBERS = 32 << 20  # held of what the layers of a wave multiply
_ROWS = 1 << 15  # of a layer, where there are enough
_MOST_ROWS = 64  # of one sample: neighbours say the same
_PULLS = (1, 10, 100)  # few rows of many inputs need a stronger pull to hold on others
_HELD_BACK = 8  # one of so many batches judges, the others are solved on


@dataclass(frozen=True, kw_only=True)
class Recover:
    """The step from a pruned graph to one that has made up for it; layers keep their names.

    A layer whose new weights do no better on rows that were held back keeps its weights, and all
    do where the answers on the trial samples would be further from the dense model's than before.
    Memory does not grow with the number of samples.

    Attributes:
        dense: the model before.
        kept: what stays of each axis of *dense*.
        evidence: samples to solve on.
        damping: pull towards the weights as they are, as a share of the mean input variance.
        rounds: repetitions for layers with a clamp behind them.
        progress: told after each wave how many of how many are done.
    """

    dense: ir.Model
    kept: Mapping[Site, Mask]
    evidence: Evidence
    damping: float = 0.01
    rounds: int = 6
    progress: Callable[[int, int], None] | None = None

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002 - as all passes
        """Give the layers of *model* new weights, unless its answers would be worse."""
        judge = Judge(self.dense, self.evidence)
        before = judge.divergence(model)
        weights = {name: value.const_value for name, value in model.graph.initializers.items()}
        counts = self._solve(model)
        if judge.divergence(model) < before:
            return Changes(counts=counts)
        for name, value in model.graph.initializers.items():
            value.const_value = weights.get(name, _zeros(value))
        return Changes(counts=dict.fromkeys(counts, 0))

    def _solve(self, model: ir.Model) -> dict[str, int]:
        waves = waves_of(model)
        samplers = self._samplers(model, waves)
        waves = [[task for task in wave if task.node in samplers] for wave in waves]
        wanted = self._dense_answers([task for wave in waves for task in wave], samplers)
        nodes = {node.name or "": node for node in model.graph}
        counts = {"layers re-solved": 0, "layers left as they were": 0}
        for done, wave in enumerate(waves, start=1):
            gathered = self._gather(model, wave, samplers)
            for task in wave:
                rows, answers = gathered.pop(task.node), wanted.pop(task.node)
                improved = self._improve(nodes[task.node], task, rows, answers)
                counts["layers re-solved" if improved else "layers left as they were"] += 1
            if self.progress is not None:
                self.progress(done, len(waves))
        return counts

    def _samplers(self, model: ir.Model, waves: list[list[Task]]) -> dict[str, Sampler]:
        nodes = {node.name or "": node for node in model.graph}
        rows = _rows_per_sample(model, waves, self.evidence.count)
        tasks = [task for wave in waves for task in wave]
        found = {
            task.node: sampler_of(nodes[task.node], rows[task.node], seed)
            for seed, task in enumerate(tasks)
        }
        return {name: sampler for name, sampler in found.items() if sampler is not None}

    def _dense_answers(
        self, tasks: list[Task], samplers: Mapping[str, Sampler]
    ) -> dict[str, list[Array]]:
        """Return by layer and batch what the dense model answers in the chosen rows."""
        names = list(dict.fromkeys(task.target for task in tasks))
        run = self.evidence.make_runner(self.dense, names)
        nodes = {node.name: node for node in self.dense.graph}
        found: dict[str, list[Array]] = {task.node: [] for task in tasks}
        for number, feeds in enumerate(self.evidence.batches):
            values = dict(zip(names, run(feeds), strict=True))
            count = len(next(iter(feeds.values())))
            for task in tasks:
                answers = samplers[task.node].outputs(values[task.target], number, count)
                axis = 1 if nodes[task.node].op_type == "Conv" else values[task.target].ndim - 1
                mask = self.kept.get((task.target, axis))
                found[task.node].append(answers if mask is None else answers[:, mask])
        return found

    def _gather(
        self, model: ir.Model, wave: list[Task], samplers: Mapping[str, Sampler]
    ) -> dict[str, _Rows]:
        """Run *model* as far as the layers of *wave* and return the chosen rows."""
        fed = {value.name for value in model.graph.inputs}
        named = [name for task in wave for name in (task.source, task.beside) if name is not None]
        names = [name for name in dict.fromkeys(named) if name not in fed]
        run = self.evidence.make_runner(model, names) if names else None
        gathered = {task.node: _Rows(inputs=[], beside=[]) for task in wave}
        for number, feeds in enumerate(self.evidence.batches):
            values = dict(feeds) | dict(zip(names, run(feeds) if run else [], strict=True))
            count = len(next(iter(feeds.values())))
            for task in wave:
                sampler, rows = samplers[task.node], gathered[task.node]
                rows.inputs.append(sampler.inputs(values[task.source], number, count))
                if task.beside is not None:
                    rows.beside.append(sampler.outputs(values[task.beside], number, count))
        return gathered

    def _improve(self, node: ir.Node, task: Task, rows: _Rows, answers: list[Array]) -> bool:
        """Give *node* the weights that least squares suggests where they do better on judges."""
        weight, bias = constant_of(node.inputs[1]), constant_of(_bias_of(node))
        if weight is None:
            raise ValueError(f"'{node.name}' has no constant weight")
        problem, judge = (_problem(task, rows, answers, held_back=h) for h in (False, True))
        flat = weight.reshape(len(weight), -1)
        shift = np.zeros(len(weight), np.float32) if bias is None else bias
        as_it_is = judge.error(flat, shift)
        for times in _PULLS:
            damping = times * self.damping
            new, moved = solve(problem, flat, shift, damping=damping, rounds=self.rounds)
            if judge.error(new, moved) < as_it_is:
                _set_layer(node, new.reshape(weight.shape), moved)
                return True
        return False


@dataclass(kw_only=True)
class _Rows:
    """Rows of one layer, gathered batch by batch."""

    inputs: list[Array]
    beside: list[Array]


def _rows_per_sample(model: ir.Model, waves: list[list[Task]], samples: int) -> dict[str, int]:
    """Return how many rows of each layer to look at in each sample, within what memory allows."""
    nodes = {node.name or "": node for node in model.graph}
    answers = sum(_lengths(nodes[task.node])[1] for wave in waves for task in wave)
    rows = {}
    for wave in waves:
        inputs = sum(_lengths(nodes[task.node])[0] for task in wave)
        most = min(_TARGET_NUMBERS // max(answers, 1), _INPUT_NUMBERS // max(inputs, 1))
        for task in wave:
            rows[task.node] = max(1, min(_MOST_ROWS, min(most, _ROWS) // max(samples, 1)))
    return rows


def _lengths(node: ir.Node) -> tuple[int, int]:
    """Return how many numbers a row of *node*'s inputs and of its answers holds."""
    weight = constant_of(node.inputs[1])
    if weight is None:
        return 0, 0
    return node.attributes.get_int("group", 1) * prod(weight.shape[1:]), len(weight)


def _problem(task: Task, rows: _Rows, answers: list[Array], *, held_back: bool) -> Problem:
    """Join the batches that are held back, or all others; with one batch only, it does for both."""
    every = range(len(rows.inputs))
    chosen = [i for i in every if (i % _HELD_BACK == _HELD_BACK - 1) == held_back] or list(every)
    return Problem(
        inputs=np.concatenate([rows.inputs[i] for i in chosen], axis=1),
        wanted=np.concatenate([answers[i] for i in chosen]),
        beside=np.concatenate([rows.beside[i] for i in chosen]) if rows.beside else None,
        bounds=task.bounds,
    )


def _bias_of(node: ir.Node) -> ir.Value | None:
    return node.inputs[2] if len(node.inputs) > 2 else None


def _set_layer(node: ir.Node, weight: Array, bias: Array) -> None:
    """Give *node* its new constants, a bias too where it had none."""
    value, bias_value = node.inputs[1], _bias_of(node)
    if value is None or node.graph is None:
        raise ValueError("the node is in no graph")
    set_constant(value, weight)
    if bias_value is not None:
        set_constant(bias_value, bias)
        return
    made = add_constant(node.graph, f"{node.name}_bias", bias)
    node.resize_inputs(3)
    node.replace_input_with(2, made)


def _zeros(value: ir.Value) -> ir.TensorProtocol:
    """Return what a bias that recovery has added must be to change nothing."""
    if value.const_value is None:
        raise ValueError("an initializer without contents")
    return ir.tensor(np.zeros_like(value.const_value.numpy()), name=value.name)
