"""A model with every tensor inside it in sight: what it computes, step by step, as real numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx_ir as ir

from compressor.adapter import Adapter
from compressor.ir.interface import Interface, interface_of
from compressor.ir.op_facts import Role, facts_of
from compressor.source import Source
from exporters import onnx
from exporters.protocol import ExportOptions
from runtimes.isolate import RemoteSession, Worker
from runtimes.protocol import SessionOptions

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor that a node of the canonical graph makes.

    Attributes:
        name: as the graph has it.
        op_type: operator of the node; node: its name.
        clamped: the tensor that a Relu or Clip makes of this one alone; empty when there is none.
    """

    name: str
    op_type: str
    node: str
    clamped: str = ""


class Exposed:
    """Runs one model, in LiteRT's own kernels for TFLite files, else in ONNX Runtime as it is.

    Attributes:
        interface: what is fed.
        tensors: of the canonical graph, in the order of its nodes.
    """

    def __init__(self, source: Source, worker: Worker, scratch: Path) -> None:
        """Open *source*; its files go into *scratch*."""
        self.interface = source.interface
        self.tensors = tensors_of(source.model)
        self._in_litert = source.path is not None and source.path.suffix == ".tflite"
        options = SessionOptions(optimize=False)
        self._session: RemoteSession
        if self._in_litert and source.path is not None:
            self._session = worker.open("litert", source.path, options)
            return
        graph = _with_every_output(source.model)
        self._adapter = _to_real(interface_of(graph))
        path = scratch / "exposed.onnx"
        path.write_bytes(onnx.write(graph, ExportOptions()))
        self._session = worker.open("ort", path, options)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Return every tensor as real numbers by name, and the outputs under their own names."""
        if self._in_litert:
            ours = _to_real(self.interface).outputs(self._session.run(feeds))
            return self._session.run_exposed(feeds) | ours
        return self._adapter.outputs(self._session.run(feeds))


def tensors_of(model: ir.Model) -> tuple[Tensor, ...]:
    """Return what the nodes of *model* make that is worth comparing: real numbers."""
    return tuple(
        Tensor(
            name=value.name or "", op_type=node.op_type, node=node.name or "", clamped=_clamp(value)
        )
        for node in model.graph
        for value in node.outputs
        if value.dtype == ir.DataType.FLOAT and (value.uses() or value.is_graph_output())
    )


def _clamp(value: ir.Value) -> str:
    readers = list(value.consumers())
    if len(readers) != 1 or facts_of(readers[0]).role is not Role.CLAMP:
        return ""
    return readers[0].outputs[0].name or ""


def _with_every_output(model: ir.Model) -> ir.Model:
    """Return a copy of *model* that returns every tensor, its own outputs first."""
    copy = model.clone()
    known = set(copy.graph.outputs)
    wanted = {tensor.name for tensor in tensors_of(copy)}
    values = (value for node in copy.graph for value in node.outputs if value.name in wanted)
    copy.graph.outputs.extend(value for value in values if value not in known)
    return copy


def _to_real(interface: Interface) -> Adapter:
    """Return the adapter that makes real numbers of the outputs of *interface*."""
    return Adapter(source=interface, artifact=interface)
