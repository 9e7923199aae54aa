"""LiteRT (TensorFlow Lite) on the CPU: ``.tflite`` files, with XNNPACK unless told otherwise."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from compressor.ir.interface import Dimension, Interface, TensorSpec
from runtimes._delegation import delegation_of
from runtimes.protocol import (
    Delegation,
    Feeds,
    Outputs,
    SessionOptions,
    check_feeds,
    refused,
    require_file,
)

NAME = "litert"
SUFFIXES = (".tflite",)
OPTIONS = SessionOptions

Details = list[dict[str, Any]]


def available() -> str | None:
    """Return None when LiteRT is installed, otherwise what to install."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "the package ai-edge-litert is not installed: pip install ai-edge-litert"
    return None


def open_session(path: Path, options: SessionOptions) -> LiteRtSession:
    """Load *path*; ``RUNTIME_REFUSED`` carries LiteRT's reason. A bad file can abort the process.

    With ``optimize`` off the delegate XNNPACK is not applied; LiteRT's own built-in kernels run.
    """
    require_file(path)
    return LiteRtSession(path, options)


class LiteRtSession:
    """One LiteRT interpreter over the model's main subgraph."""

    def __init__(self, path: Path, options: SessionOptions) -> None:
        # Imported only when a session is opened, so that listing targets stays quick.
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._path = path
        resolver = (
            OpResolverType.AUTO
            if options.optimize
            else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        with _refusals(path):
            self._interpreter: Any = Interpreter(
                str(path),
                num_threads=options.threads,
                experimental_op_resolver_type=resolver,
            )
            self._interpreter.allocate_tensors()
            inputs, outputs = _named_details(self._interpreter)
        self._inputs = {name: int(detail["index"]) for name, detail in inputs.items()}
        self._outputs = {name: int(detail["index"]) for name, detail in outputs.items()}
        self._shapes = {name: tuple(map(int, d["shape"])) for name, d in inputs.items()}
        self._interface = Interface(
            inputs=tuple(_spec(name, detail, path) for name, detail in inputs.items()),
            outputs=tuple(_spec(name, detail, path) for name, detail in outputs.items()),
        )

    @property
    def interface(self) -> Interface:
        """Names of the signature, or of the tensors without one; numpy types; shapes."""
        return self._interface

    @property
    def delegation(self) -> Delegation | None:
        """Partitions that XNNPACK runs, and the operators that it leaves to LiteRT."""
        return delegation_of(self._interpreter)

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name; ``RUNTIME_REFUSED`` when *feeds* do not fit."""
        invoke = self.bind(feeds)
        with _refusals(self._path):
            invoke()
        return self._results()

    def _results(self) -> Outputs:
        """Return the outputs; LiteRT does not hand out those without elements."""
        details = {int(d["index"]): d for d in self._interpreter.get_output_details()}
        return {
            name: self._interpreter.get_tensor(index)
            if all(details[index]["shape"])
            else np.empty(tuple(details[index]["shape"]), details[index]["dtype"])
            for name, index in self._outputs.items()
        }

    def run_exposed(self, feeds: Feeds) -> Outputs:
        """Return every tensor that LiteRT's built-in kernels compute, as real numbers."""
        from runtimes._exposure import computed_tensors

        check_feeds(self._interface, feeds, self._path)
        with _refusals(self._path):
            by_index = {self._inputs[name]: array for name, array in feeds.items()}
            return computed_tensors(self._path, by_index)

    def bind(self, feeds: Feeds) -> Callable[[], object]:
        """Copy *feeds* into the input tensors (which a run leaves intact); return ``invoke``."""
        check_feeds(self._interface, feeds, self._path)
        with _refusals(self._path):
            self._resize({name: array.shape for name, array in feeds.items()})
            for name, array in feeds.items():
                self._interpreter.set_tensor(self._inputs[name], np.asarray(array, order="C"))
        invoke: Callable[[], object] = self._interpreter.invoke
        return invoke

    def close(self) -> None:
        """Release the model."""
        self._interpreter = None

    def _resize(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Plan memory again when symbolic dimensions take other sizes than at the last run."""
        if shapes == self._shapes:
            return
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._inputs[name], shape)
        self._shapes = {}  # unknown, should the next line refuse
        self._interpreter.allocate_tensors()
        self._shapes = dict(shapes)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise refused(path, f"LiteRT: {error}") from error


def _named_details(
    interpreter: Any,  # noqa: ANN401 - LiteRT is untyped
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Details of inputs and outputs by name, in the order of the main subgraph.

    A signature names the tensors as the model's author did. One that belongs to another subgraph,
    or leaves out a tensor, is of no use here: tensor names then serve, without TensorFlow's ":0".
    """
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    keys = sorted(interpreter.get_signature_list(), key=lambda key: key != "serving_default")
    for key in keys:
        runner = interpreter.get_signature_runner(key)
        names_in = _names(runner.get_input_details())
        names_out = _names(runner.get_output_details())
        if _covers(names_in, inputs) and _covers(names_out, outputs):
            return _by_name(inputs, names_in), _by_name(outputs, names_out)
    return _by_name(inputs, {}), _by_name(outputs, {})


def _names(details: Mapping[str, dict[str, Any]]) -> dict[int, str]:
    return {int(detail["index"]): name for name, detail in details.items()}


def _covers(names: Mapping[int, str], details: Details) -> bool:
    return set(names) == {int(detail["index"]) for detail in details}


def _by_name(details: Details, names: Mapping[int, str]) -> dict[str, dict[str, Any]]:
    return {names.get(int(d["index"]), d["name"].removesuffix(":0")): d for d in details}


def _spec(name: str, detail: Mapping[str, Any], path: Path) -> TensorSpec:
    dtype = np.dtype(detail["dtype"])
    if dtype.kind not in "biuf":
        raise refused(path, f"'{name}' holds {dtype}", expected="a tensor of numbers")
    dims: list[Dimension] = [
        int(size) if size >= 0 else ("batch" if axis == 0 else f"{name}_dim{axis}")
        for axis, size in enumerate(detail["shape_signature"])
    ]
    return TensorSpec(name=name, dtype=dtype.name, shape=tuple(dims))
