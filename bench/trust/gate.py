"""How often the gate is wrong about latency beside a busy loop.

    python bench/trust/gate.py [--runs 100] [--seconds 3] [--limit '+5 %']

Times two networks against a baseline again and again, as
``edgec gate --baseline`` does it: the baseline's own copy, which no run should fail, and one with
15 % more of the same layers, which every run should fail. It prints the outcomes of both, and the
slowdown that a long quiet run measures.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np
import onnx

from bench.gate.numbers import Estimate, judge_change
from bench.gate.quantity import Bound, Dimension, parse_limit
from bench.latency import Entry, LatencyOptions, compare, time_models
from runtimes.isolate import Worker

LAYERS, MORE_LAYERS = 20, 23
"""Equal layers, of which the second network has 15 % more."""

_CHANNELS, _SIDE = 32, 28
_SEED = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the trials that the command line asks for and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each comparison")
    parser.add_argument("--limit", default="+5 %", help="as in a budgets file")
    chosen = parser.parse_args(arguments)
    limit = parse_limit(chosen.limit, Dimension.SECONDS, Bound.AT_MOST, "--limit")
    with tempfile.TemporaryDirectory() as scratch, Worker() as worker:
        folder = Path(scratch)
        base, same, slow = (
            _network(folder / f"{name}.onnx", layers)
            for name, layers in (("base", LAYERS), ("same", LAYERS), ("slow", MORE_LAYERS))
        )
        quiet = _ratio(worker, base, slow, 4 * chosen.seconds)
        click.echo(f"quiet: {quiet.value - 1:+.1%} [{quiet.low - 1:+.1%}, {quiet.high - 1:+.1%}]")
        with _busy_loop():
            for name, path in (("unchanged", same), ("15 % more layers", slow)):
                outcomes = Counter(
                    judge_change(limit, _ratio(worker, base, path, chosen.seconds)).outcome.value
                    for _ in range(chosen.runs)
                )
                click.echo(f"{name}: {dict(outcomes)} of {chosen.runs}")


def _ratio(worker: Worker, before: Path, after: Path, seconds: float) -> Estimate:
    feeds = {"x": np.ones((1, _CHANNELS, _SIDE, _SIDE), np.float32)}
    sessions = [worker.open("ort", path) for path in (before, after)]
    entries = [Entry(label="", session=session, feeds=feeds) for session in sessions]
    first, second = time_models(worker, entries, LatencyOptions(budget_s=seconds))
    for session in sessions:
        session.close()
    ratio = compare(first, second).ratio
    return Estimate(value=ratio.value, low=ratio.low, high=ratio.high)


def _network(path: Path, layers: int) -> Path:
    """Write a chain of equal convolutions."""
    random = np.random.default_rng(_SEED)
    shape = (_CHANNELS, _CHANNELS, 3, 3)
    weight = onnx.numpy_helper.from_array(random.normal(0, 0.05, shape).astype(np.float32), "w")
    names = ["x", *(f"v{index}" for index in range(1, layers)), "y"]
    nodes = [
        onnx.helper.make_node("Conv", [source, "w"], [result], pads=[1, 1, 1, 1])
        for source, result in itertools.pairwise(names)
    ]
    sides = [1, _CHANNELS, _SIDE, _SIDE]
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, sides) for n in "xy"]
    graph = onnx.helper.make_graph(nodes, "chain", ends[:1], ends[1:], [weight])
    opset = [onnx.helper.make_opsetid("", 21)]
    path.write_bytes(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    )
    return path


@contextmanager
def _busy_loop() -> Iterator[None]:
    """Keep one core busy beside the block."""
    process = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
