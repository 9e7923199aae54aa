"""What LiteRT and ONNX Runtime make of the same TFLite file; both without their optimisers."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx_ir as ir

from compressor.ir.interface import Interface, TensorSpec
from exporters import onnx
from exporters.protocol import ExportOptions
from runtimes.isolate import RemoteSession, Worker
from runtimes.protocol import SessionOptions
from tests.graphs import run_onnx

Arrays = dict[str, np.ndarray]
Run = Callable[[bytes, Mapping[str, np.ndarray]], Arrays]


class LiteRt:
    """Reference kernels in a child process, which a bad file may abort."""

    def __init__(self, worker: Worker, folder: Path) -> None:
        self._worker = worker
        self._path = folder / "model.tflite"

    def interface(self, data: bytes) -> Interface:
        """Return what LiteRT offers for the file *data*."""
        session = self._open(data)
        session.close()
        return session.interface

    def run(self, data: bytes, feeds: Mapping[str, np.ndarray]) -> Arrays:
        """Return the outputs of the file *data* by name."""
        session = self._open(data)
        outputs = dict(session.run(feeds))
        session.close()
        return outputs

    def _open(self, data: bytes) -> RemoteSession:
        self._path.write_bytes(data)
        return self._worker.open("litert", self._path, SessionOptions(optimize=False))


def in_onnx_runtime(model: ir.Model, feeds: Mapping[str, np.ndarray]) -> Arrays:
    """Return the outputs of *model*, with its annotations as Q/DQ pairs."""
    return run_onnx(onnx.write(model, ExportOptions()), feeds)


def random_feeds(interface: Interface, *, seed: int = 0, positive: bool = False) -> Arrays:
    """Return normal floats (or their absolute values), all integers of a scale, small counts."""
    rng = np.random.default_rng(seed)
    return {spec.name: _random(spec, rng, positive) for spec in interface.inputs}


def _random(spec: TensorSpec, rng: np.random.Generator, positive: bool) -> np.ndarray:
    shape = spec.concrete()
    if spec.numpy.kind == "f":
        values = rng.normal(size=shape) * 2
        return (np.abs(values) + 0.1 if positive else values).astype(spec.numpy)
    if spec.numpy.itemsize == 1 and spec.numpy.kind != "b":
        limits = np.iinfo(spec.numpy)
        return rng.integers(limits.min, limits.max, shape, spec.numpy, endpoint=True)
    return (np.arange(np.prod(shape)).reshape(shape) % 2).astype(spec.numpy)
