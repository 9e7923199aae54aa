"""ONNX Runtime on the CPU: ``.onnx`` and ``.ort`` files."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compressor.ir.interface import Dimension, Interface, TensorSpec
from runtimes.protocol import (
    Array,
    Feeds,
    Outputs,
    SessionOptions,
    check_feeds,
    refused,
    require_file,
)

NAME = "ort"
SUFFIXES = (".onnx", ".ort")
OPTIONS = SessionOptions
CPU = "CPUExecutionProvider"

_NUMPY_NAMES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(uint16)": "uint16",
    "tensor(int32)": "int32",
    "tensor(uint32)": "uint32",
    "tensor(int64)": "int64",
    "tensor(uint64)": "uint64",
}


def available() -> str | None:
    """Return None when ONNX Runtime is installed, otherwise what to install."""
    if importlib.util.find_spec("onnxruntime") is None:
        return "the package onnxruntime is not installed: pip install onnxruntime"
    return None


def open_session(path: Path, options: SessionOptions) -> OrtSession:
    """Load *path* for sequential execution; ``RUNTIME_REFUSED`` carries ONNX Runtime's reason."""
    require_file(path)
    return OrtSession(path, options)


class OrtSession:
    """One ONNX Runtime inference session."""

    def __init__(
        self,
        path: Path,
        options: SessionOptions,
        *,
        providers: Sequence[tuple[str, dict[str, str]]] = ((CPU, {}),),
    ) -> None:
        import onnxruntime as ort  # only when a session is opened: listing targets stays quick

        self._path = path
        with _refusals(path):
            self._session: Any = ort.InferenceSession(
                str(path), _session_options(options), providers=list(providers)
            )
        self._interface = Interface(
            inputs=tuple(_spec(node, path) for node in self._session.get_inputs()),
            outputs=tuple(_spec(node, path) for node in self._session.get_outputs()),
        )

    @property
    def providers(self) -> list[str]:
        """Execution providers in use, the preferred one first."""
        return [str(name) for name in self._session.get_providers()]

    @property
    def interface(self) -> Interface:
        """Names, numpy types and shapes; a dimension without a size is symbolic."""
        return self._interface

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name; ``RUNTIME_REFUSED`` when *feeds* do not fit."""
        check_feeds(self._interface, feeds, self._path)
        names = [spec.name for spec in self._interface.outputs]
        with _refusals(self._path):
            arrays: list[Array] = self._session.run(names, dict(feeds))
        return dict(zip(names, arrays, strict=True))

    def bind(self, feeds: Feeds) -> Callable[[], object]:
        """Bind *feeds* and all outputs, and return the function that runs the model on them."""
        check_feeds(self._interface, feeds, self._path)
        session, binding = self._session, self._session.io_binding()
        held = dict(feeds)  # the binding refers to the arrays' memory without owning it
        for name, array in held.items():
            binding.bind_cpu_input(name, array)
        for spec in self._interface.outputs:
            binding.bind_output(spec.name)

        def run_once(_held: Feeds = held) -> None:
            session.run_with_iobinding(binding)

        return run_once

    def close(self) -> None:
        """Release the model."""
        self._session = None


def _session_options(options: SessionOptions) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    """One pool of *threads* that sleeps when idle, so that sessions do not disturb each other."""
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if not options.optimize:
        settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return settings


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except _exceptions() as error:
        raise refused(path, f"ONNX Runtime: {error}") from error


@functools.cache
def _exceptions() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises: its own exceptions share no base class."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (kind for kind in vars(state).values() if isinstance(kind, type))
    return (RuntimeError, ValueError, *(kind for kind in own if issubclass(kind, Exception)))


def _spec(node: Any, path: Path) -> TensorSpec:  # noqa: ANN401 - onnxruntime is untyped
    dtype = _NUMPY_NAMES.get(node.type)
    if dtype is None:
        raise refused(path, f"'{node.name}' is a {node.type}", expected="a tensor of numbers")
    dims: list[Dimension] = [
        dim if isinstance(dim, int) else (dim or f"{node.name}_dim{axis}")
        for axis, dim in enumerate(node.shape)
    ]
    return TensorSpec(name=node.name, dtype=dtype, shape=tuple(dims))
