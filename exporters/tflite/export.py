"""The way from the canonical graph to a TFLite file, in five stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from compressor.ir.interface import interface_of
from compressor.layout.rewrite import lay_out
from exporters._flatbuffer_limit import refuse_large
from exporters.protocol import (
    ExportOptions,
    Refusal,
    WeightType,
    raise_refusals,
    save_bytes,
)
from exporters.tflite import metadata
from exporters.tflite.batch import open_batch
from exporters.tflite.builder import Builder, has_tensor_type, pack
from exporters.tflite.cleanup import clean_up, remove_dead
from exporters.tflite.constraints import representation_reason
from exporters.tflite.conversion import place_conversions
from exporters.tflite.counted import carry_counts
from exporters.tflite.dialect import DIALECT, Unsupported, shape_of
from exporters.tflite.fuse import fuse_activations
from exporters.tflite.hybrid import use_hybrid_forms
from exporters.tflite.indices import drop_wrapping
from exporters.tflite.legalize import legalize, refusal
from exporters.tflite.ops.tables import lowerings
from exporters.tflite.orders import RULES
from exporters.tflite.prepare import has_open_batch, prepare
from exporters.tflite.retype import retype, type_reason
from exporters.tflite.selection import shorten_selections
from exporters.tflite.verify import verify
from exporters.tflite.versions import Table

SUFFIX = ".tflite"


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """A graph in TFLite's operators and axis order, and what of it cannot be written."""

    graph: ir.Graph
    refusals: list[Refusal]


def check(model: ir.Model, options: ExportOptions) -> list[Refusal]:  # noqa: ARG001
    """Return a refusal for each node of *model* that TFLite cannot hold; empty when all can."""
    return _plan(model).refusals


def write(model: ir.Model, options: ExportOptions) -> bytes:
    """Return *model* as the bytes of a .tflite file; *model* is not changed.

    It takes one sample, and with ``open_batch`` any number after the inputs are resized.

    Raises:
        EdgecError: ``NO_LOWERING`` when ``check`` refuses a node; ``ARTIFACT_TOO_LARGE`` beyond
            2 GiB; ``PASS_BROKE_GRAPH`` when the result is not a valid TFLite graph, which is a
            defect of the exporter.
    """
    refuse_large(model, options, "tflite")
    usage, interface = options.usage, interface_of(model)
    result = _built(model, options)
    verify(result)
    if options.open_batch and has_open_batch(model):
        raise_refusals(open_batch(result, _built(model, options, batch=2)), "TFLite of any batch")
    content = pack(result)
    return content if usage is None else metadata.with_files(content, interface, usage)


def _built(model: ir.Model, options: ExportOptions, *, batch: int = 1) -> Table:
    """Return the ``ModelT`` of *model* for *batch* samples."""
    plan = _plan(model, batch)
    raise_refusals(plan.refusals, "TFLite")
    builder = Builder(
        float16_weights=options.float_weights is WeightType.FLOAT16,
        sparse_weights=options.sparse_weights,
    )
    for node in plan.graph:
        lowerings()[node.op_type].emit(node, builder)
    if options.usage is not None:
        content = metadata.metadata(interface_of(model), options.usage)
        builder.attach(metadata.NAME, content)
    return builder.finish(plan.graph.inputs, plan.graph.outputs, options.manifest)


def save(model: ir.Model, options: ExportOptions, path: Path) -> tuple[Path, ...]:
    """Write *model* to *path*; raises as ``write``."""
    return save_bytes(write(model, options), path)


def _plan(model: ir.Model, batch: int = 1) -> _Plan:
    copy = prepare(model, batch)
    graph = copy.graph
    unknown = [*_foreign_types(graph), *_unknown_shapes(graph)]
    if unknown:
        return _Plan(graph=graph, refusals=unknown)
    use_hybrid_forms(graph)
    refusals = legalize(graph)
    drop_wrapping(graph)
    retype(graph)
    refusals += carry_counts(graph)
    fuse_activations(graph)
    shorten_selections(graph)
    place_conversions(graph)
    shorten_selections(graph)  # again: chains that were interrupted by conversions
    remove_dead(graph)  # what nothing reads must not count in the layout
    lay_out(graph, {}, RULES)
    clean_up(graph)
    refusals += [refusal(node, reason) for node in graph if (reason := _reason(node))]
    return _Plan(graph=graph, refusals=refusals)


def _foreign_types(graph: ir.Graph) -> list[Refusal]:
    """Return a refusal for each input and output of a type that no TFLite tensor has."""
    kinds = (("input", graph.inputs), ("output", graph.outputs))
    return [
        Refusal(node=value.name or "", op_type=kind, reason=reason)
        for kind, values in kinds
        for value in values
        if (reason := _foreign_reason(value))
    ]


def _foreign_reason(value: ir.Value) -> str | None:
    """Return why *value* cannot be a tensor of TFLite, or None."""
    if not has_tensor_type(value):
        return f"TFLite has no tensors of type {value.dtype}"
    if value.shape is not None and 0 in value.shape:
        return f"TFLite has no empty tensors, such as '{value.name}'"
    return None


def _unknown_shapes(graph: ir.Graph) -> list[Refusal]:
    refusals: list[Refusal] = []
    for node in graph:
        try:
            for value in node.outputs:
                if value.uses() or value.is_graph_output():
                    shape_of(value)
        except Unsupported as reason:
            refusals.append(refusal(node, str(reason)))
    return refusals


def _reason(node: ir.Node) -> str | None:
    if node.domain != DIALECT:
        return None
    lowering = lowerings()[node.op_type]
    for value in (*node.inputs, *node.outputs):
        reason = value and _foreign_reason(value)
        if reason:
            return reason
    return (
        type_reason(node, lowering) or representation_reason(node, lowering) or lowering.check(node)
    )
