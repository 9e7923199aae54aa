"""OpenVINO on the CPU: ONNX (with QuantizeLinear and DequantizeLinear too) and TFLite files."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from compressor.ir.interface import Dimension, Interface, TensorSpec
from runtimes.protocol import Feeds, Outputs, SessionOptions, check_feeds, refused, require_file

NAME = "openvino"
SUFFIXES = (".onnx", ".tflite", ".xml")
OPTIONS = SessionOptions


def available() -> str | None:
    """Return None when OpenVINO is installed, otherwise what to install."""
    if importlib.util.find_spec("openvino") is None:
        return "the package openvino is not installed: pip install 'edgec[openvino]'"
    return None


def open_session(path: Path, options: SessionOptions) -> OpenVinoSession:
    """Load *path*; ``RUNTIME_REFUSED`` carries OpenVINO's reason.

    Arithmetic stays in float32, whatever the processor offers below; ``optimize`` has no meaning.
    """
    require_file(path)
    return OpenVinoSession(path, options)


class OpenVinoSession:
    """One compiled model and its only request."""

    def __init__(self, path: Path, options: SessionOptions) -> None:
        import openvino  # only when a session is opened: listing targets stays quick

        self._path = path
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": options.threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        }
        with _refusals(path):
            core = openvino.Core()
            self._compiled: Any = core.compile_model(core.read_model(str(path)), "CPU", settings)
            self._request: Any = self._compiled.create_infer_request()
        self._wrap: Any = openvino.Tensor
        self._interface = Interface(
            inputs=tuple(_spec(port, path) for port in self._compiled.inputs),
            outputs=tuple(_spec(port, path) for port in self._compiled.outputs),
        )

    @property
    def interface(self) -> Interface:
        """Names, numpy types and shapes; a dimension without a size is symbolic."""
        return self._interface

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name; ``RUNTIME_REFUSED`` when *feeds* do not fit."""
        call = self.bind(feeds)
        with _refusals(self._path):
            call()
        return {
            spec.name: np.array(self._request.get_output_tensor(index).data)
            for index, spec in enumerate(self._interface.outputs)
        }

    def bind(self, feeds: Feeds) -> Callable[[], object]:
        """Let the request read *feeds* where they lie; return the function that runs it once."""
        check_feeds(self._interface, feeds, self._path)
        held = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        request = self._request
        with _refusals(self._path):
            for port, spec in zip(self._compiled.inputs, self._interface.inputs, strict=True):
                request.set_tensor(port, self._wrap(held[spec.name], shared_memory=True))

        def run_once(_held: Feeds = held) -> None:
            request.infer()

        return run_once

    def close(self) -> None:
        """Release the model."""
        self._request = self._compiled = None


def _spec(port: Any, path: Path) -> TensorSpec:  # noqa: ANN401 - openvino is untyped
    name, dtype = port.get_any_name(), np.dtype(port.element_type.to_dtype())
    if dtype.kind not in "biuf":
        raise refused(path, f"'{name}' holds {dtype}", expected="a tensor of numbers")
    dims: list[Dimension] = [
        ("batch" if axis == 0 else f"{name}_dim{axis}") if dim.is_dynamic else dim.get_length()
        for axis, dim in enumerate(port.partial_shape)
    ]
    return TensorSpec(name=name, dtype=dtype.name, shape=tuple(dims))


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, TypeError) as error:
        raise refused(path, f"OpenVINO: {error}") from error
