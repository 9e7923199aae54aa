"""A file read into a graph, and the graph as a PyTorch module on one device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compressor.errors import Code, EdgecError
from compressor.ir.interface import Interface
from runtimes.protocol import Array, Feeds, Outputs, SessionOptions, check_feeds, refused


@dataclass(frozen=True, kw_only=True)
class TorchOptions(SessionOptions):
    """How PyTorch runs a model.

    Attributes:
        compile: through ``torch.compile``, which needs a C++ compiler (on a GPU: Triton).
        half: weights and activations in float16; inputs and outputs keep their types.
    """

    compile: bool = False
    half: bool = False


class TorchSession:
    """A model in eager or compiled PyTorch."""

    def __init__(self, path: Path, options: SessionOptions, device: str) -> None:
        import torch  # only when a session is opened: listing targets stays quick

        from compressor.torch_module.module import TorchModule

        own = options if isinstance(options, TorchOptions) else TorchOptions()
        # Workers of the compiler would outlive a child that is ended at once.
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
        self._path, self._threads = path, options.threads
        with _refusals(path):
            source = _read(path)
            real = torch.float16 if own.half else torch.float32
            module = TorchModule(source.model, real=real).eval().to(_device(device, path))
        self._interface: Interface = source.interface
        self._module: Any = torch.compile(module) if own.compile else module
        self._device = torch.device(device)

    @property
    def interface(self) -> Interface:
        """Names, numpy types and shapes as the file has them."""
        return self._interface

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name; ``RUNTIME_REFUSED`` when *feeds* do not fit."""
        call = self.bind(feeds)
        with _refusals(self._path):
            found = call()
        outputs = found if isinstance(found, tuple) else (found,)
        specs = self._interface.outputs
        return {
            spec.name: _given(tensor.cpu().numpy(), spec.numpy, spec.quantization)
            for spec, tensor in zip(specs, outputs, strict=True)
        }

    def bind(self, feeds: Feeds) -> Callable[[], Any]:
        """Put *feeds* on the device; return the function that runs the model and waits for it."""
        check_feeds(self._interface, feeds, self._path)
        import torch

        inputs = [_fed(feeds[s.name], s.quantization) for s in self._interface.inputs]
        tensors = [torch.from_numpy(array).to(self._device) for array in inputs]
        module, threads = self._module, self._threads
        on_gpu = self._device.type == "cuda"

        def run_once() -> Any:  # noqa: ANN401 - a tensor or a tuple of them
            if torch.get_num_threads() != threads:  # one number for the whole process
                torch.set_num_threads(threads)
            with torch.inference_mode():
                found = module(*tensors)
            if on_gpu:
                torch.cuda.synchronize()
            return found

        return run_once

    def close(self) -> None:
        """Release the model."""
        self._module = None


def _read(path: Path) -> Any:  # noqa: ANN401 - a Source, which imports what runtimes must not need
    from compressor.source import read_source

    try:
        return read_source(str(path))
    except EdgecError as error:
        raise refused(path, error.what, expected=error.expected) from error


def _device(name: str, path: Path) -> Any:  # noqa: ANN401 - torch.device
    """Return the device, with products in full float32; ``RUNTIME_UNAVAILABLE`` without it."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise EdgecError(
            Code.RUNTIME_UNAVAILABLE, "PyTorch finds no usable NVIDIA GPU", where=str(path)
        )
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


def _fed(array: Array, quantization: Any) -> Array:  # noqa: ANN401 - QuantParams or None
    """Return what the module takes: the real numbers of integers that have a scale."""
    real = array if quantization is None else quantization.dequantize(array)
    return np.array(real, order="C")


def _given(array: Array, dtype: np.dtype[Any], quantization: Any) -> Array:  # noqa: ANN401
    found: Array = array if quantization is None else quantization.quantize(array)
    return found.astype(dtype, copy=False)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn PyTorch's exceptions, and those of kernels fed wrong values, into refusals."""
    try:
        yield
    except EdgecError as error:
        if error.code is Code.MODEL_UNSUPPORTED:
            raise refused(path, f"{error.what}, {error.where}") from error
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise refused(path, f"PyTorch: {error}") from error
