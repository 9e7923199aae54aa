"""How calibration executes a graph: ONNX Runtime in this process, with chosen outputs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from compressor.calibration.collect import Feeds, Run, RunnerFactory
from exporters import onnx
from exporters.protocol import ExportOptions
from runtimes.protocol import Array, SessionOptions
from runtimes.targets import open_session


def runner_factory(scratch: Path) -> RunnerFactory:
    """Return a factory of functions that run a float model; its files go into *scratch*."""

    def make_runner(model: ir.Model, names: Sequence[str]) -> Run:
        path = scratch / "calibration.onnx"
        onnx.save(_with_outputs(model, names), ExportOptions(), path)
        options = SessionOptions(threads=len(os.sched_getaffinity(0)))
        session = open_session("ort", path, options)

        def run(feeds: Feeds) -> list[Array]:
            outputs = session.run(feeds)
            return [outputs[name] for name in names]

        return run

    return make_runner


def _with_outputs(model: ir.Model, names: Sequence[str]) -> ir.Model:
    """Return a copy of *model* whose outputs are the values *names*, and nothing beyond them."""
    copy = model.clone()
    values = {value.name: value for node in copy.graph for value in node.outputs}
    copy.graph.outputs.clear()
    copy.graph.outputs.extend(values[name] for name in names)
    RemoveUnusedNodesPass()(copy)
    return copy
