"""MNN on the CPU: ONNX files, converted by MNN's own converter when they are opened.

The converter is called as a library. MNN's command-line tools are never used: they install a
package for logging when they start.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compressor.ir.interface import Interface
from runtimes import onnxruntime
from runtimes.protocol import (
    Array,
    Feeds,
    Outputs,
    SessionOptions,
    check_feeds,
    refused,
    require_file,
)

NAME = "mnn"
SUFFIXES = (".onnx",)


@dataclass(frozen=True, kw_only=True)
class MnnOptions(SessionOptions):
    """How MNN runs a model.

    Attributes:
        half: let MNN compute in float16 where the processor can.
    """

    half: bool = False


OPTIONS = MnnOptions

_SHOWN_LINES = 2
_CONVERT = """
import sys, _tools
names = ("-f", "ONNX", "--modelFile", sys.argv[1], "--MNNModel", sys.argv[2], "--bizCode", "edgec")
_tools.mnnconvert(["mnnconvert", *names])
"""


def available() -> str | None:
    """Return None when MNN is installed, otherwise what to install."""
    if importlib.util.find_spec("MNN") is None:
        return "the package MNN is not installed: pip install 'edgec[mnn]'"
    return None


def open_session(path: Path, options: SessionOptions) -> MnnSession:
    """Convert and load *path*; ``RUNTIME_REFUSED`` when MNN cannot. A bad file may abort."""
    require_file(path)
    return MnnSession(path, options)


class MnnSession:
    """One MNN interpreter with its session."""

    def __init__(self, path: Path, options: SessionOptions) -> None:
        import MNN  # only when a session is opened: listing targets stays quick

        self._path, self._mnn = path, MNN
        # MNN forgets which dimensions are symbolic, so the interface is read by ONNX Runtime.
        plain = onnxruntime.open_session(path, SessionOptions(optimize=False))
        self._interface: Interface = plain.interface
        plain.close()
        half = isinstance(options, MnnOptions) and options.half
        settings = {
            "backend": "CPU",
            "numThread": options.threads,
            "precision": "low" if half else "high",
        }
        with tempfile.TemporaryDirectory(prefix="edgec-") as folder, _refusals(path):
            self._interpreter: Any = MNN.Interpreter(str(_converted(path, Path(folder))))
            self._session: Any = self._interpreter.createSession(settings)
        self._inputs: dict[str, Any] = self._interpreter.getSessionInputAll(self._session)
        self._outputs: dict[str, Any] = self._interpreter.getSessionOutputAll(self._session)
        named = {spec.name for spec in (*self._interface.inputs, *self._interface.outputs)}
        if not named <= {*self._inputs, *self._outputs}:
            raise refused(path, "MNN: the converted model has other inputs or outputs")

    @property
    def interface(self) -> Interface:
        """Names, numpy types and shapes as the file has them."""
        return self._interface

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name; ``RUNTIME_REFUSED`` when *feeds* do not fit."""
        call = self.bind(feeds)
        with _refusals(self._path):
            call()
            return {s.name: self._fetched(s.name, s.numpy) for s in self._interface.outputs}

    def bind(self, feeds: Feeds) -> Callable[[], object]:
        """Copy *feeds* into the session; return the function that runs it once."""
        check_feeds(self._interface, feeds, self._path)
        with _refusals(self._path):
            for name, array in feeds.items():
                if tuple(self._inputs[name].getShape()) != array.shape:
                    self._interpreter.resizeTensor(self._inputs[name], array.shape)
            self._interpreter.resizeSession(self._session)
            for name, array in feeds.items():
                self._inputs[name].copyFrom(self._host(array))
        interpreter, session = self._interpreter, self._session

        def run_once() -> None:
            if interpreter.runSession(session) != 0:
                raise refused(self._path, "MNN: the session failed")

        return run_once

    def close(self) -> None:
        """Release the model."""
        self._session = self._interpreter = None

    def _host(self, array: Array) -> Any:  # noqa: ANN401 - MNN is untyped
        kinds = {
            "float32": self._mnn.Halide_Type_Float,
            "int32": self._mnn.Halide_Type_Int,
            "int64": self._mnn.Halide_Type_Int,  # MNN stores all integers in 32 bits
            "uint8": self._mnn.Halide_Type_Uint8,
        }
        if array.dtype.name not in kinds:
            raise refused(self._path, f"MNN is not fed {array.dtype}", expected=", ".join(kinds))
        fed = array.astype(np.int32) if array.dtype == np.int64 else np.ascontiguousarray(array)
        order = self._mnn.Tensor_DimensionType_Caffe
        return self._mnn.Tensor(fed.shape, kinds[array.dtype.name], fed, order)

    def _fetched(self, name: str, dtype: np.dtype[Any]) -> Array:
        """Return an output in the order of axes that ONNX has."""
        device = self._outputs[name]
        stored = np.dtype(np.int32) if dtype == np.int64 else dtype
        host = self._host(np.zeros(device.getShape(), stored))
        device.copyToHostTensor(host)
        found: Array = np.array(host.getNumpyData())
        return found.reshape(device.getShape()).astype(dtype)


def _converted(path: Path, folder: Path) -> Path:
    """Return the file that MNN's converter makes of *path*, in a process that it may abort."""
    result = folder / "model.mnn"
    command = [sys.executable, "-P", "-c", _CONVERT, str(path.absolute()), str(result)]
    done = subprocess.run(  # the converter leaves a file where it runs
        command, cwd=folder, capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode or not result.is_file():
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise refused(path, f"MNN: its converter failed: {' | '.join(said[-_SHOWN_LINES:])}")
    return result


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, TypeError) as error:
        raise refused(path, f"MNN: {error}") from error
