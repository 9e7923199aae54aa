"""What measuring costs: the times that edgec takes against a bare loop over the same runtime.

    python bench/trust/overhead.py MODEL.onnx MODEL.tflite [--rounds 200]

Both run in one process, in turns, on one thread. Prints the ratio of the medians with its interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

from bench.statistics import ratio_interval
from runtimes.interleave import InterleavedTimer
from runtimes.protocol import Feeds, SessionOptions
from runtimes.targets import open_session, runtime_for


def main() -> None:
    """Time every model both ways and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    for path in given.models:
        name = runtime_for(path).NAME
        session = open_session(name, path, SessionOptions())
        random = np.random.default_rng(0)
        feeds = {
            spec.name: random.standard_normal(spec.concrete()).astype(spec.numpy)
            for spec in session.interface.inputs
        }
        bare = {"ort": bare_onnx_runtime, "litert": bare_litert}[name](path, feeds)
        timer = InterleavedTimer([session.bind(feeds)], seed=0)
        timer.warm_up(1.0)
        ours, theirs = in_turns(timer, bare, given.rounds)
        found = ratio_interval(ours, theirs, seed=0)
        print(f"{path.name} in {name}: {found.value:.4f} ({found.low:.4f}..{found.high:.4f})")


def in_turns(timer: InterleavedTimer, bare: Callable[[], object], rounds: int) -> Any:  # noqa: ANN401
    """Return nanoseconds of one run, as the timer says and as a bare loop does, [rounds] each."""
    repeats = timer.repeats[0]
    found = np.empty((2, rounds))
    for index in range(rounds):
        found[0, index] = timer.rounds(1)[0, 0] / repeats
        start = perf_counter_ns()
        for _ in range(repeats):
            bare()
        found[1, index] = (perf_counter_ns() - start) / repeats
    return found


def bare_onnx_runtime(path: Path, feeds: Feeds) -> Callable[[], object]:
    """Return the run of a session that nothing of edgec has set up."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for name, array in feeds.items():
        binding.bind_cpu_input(name, array)
    for output in session.get_outputs():
        binding.bind_output(output.name)
    return lambda: session.run_with_iobinding(binding)


def bare_litert(path: Path, feeds: Feeds) -> Callable[[], object]:
    """Return the run of an interpreter that nothing of edgec has set up."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), feeds.values(), strict=True):
        interpreter.set_tensor(detail["index"], array)
    invoke: Callable[[], object] = interpreter.invoke
    return invoke


if __name__ == "__main__":
    main()
