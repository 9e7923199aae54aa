"""The way from a TFLite file to an ONNX graph: read, translate, check, lay out, open the batch."""

from __future__ import annotations

import json
from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions
from compressor.ingest.tflite.contents import Contents, Operator
from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.graph import BATCH, Graph
from compressor.ingest.tflite.layout import settle_layout
from compressor.ingest.tflite.ops.tables import readers
from compressor.ingest.tflite.reader import read_contents
from compressor.ingest.tflite.refusal import too_large, unknown, unreadable
from compressor.ingest.tflite.shapes import check_shapes, forget_shapes

OPSET = 21
IR_VERSION = 10
MAX_FILE_BYTES = 1 << 32
# What numpy and Python raise over tensors that contradict their operator.
_CONTRADICTIONS = (ValueError, IndexError, KeyError, OverflowError)


def import_file(path: Path, options: IngestOptions) -> ir.Model:
    """Read the file at *path*; see ``load``."""
    size = path.stat().st_size
    try:
        if size > MAX_FILE_BYTES:
            raise too_large(f"the file has {size:,} bytes", f"{MAX_FILE_BYTES:,}")
        model = import_bytes(path.read_bytes())
    except EdgecError as error:
        error.where = ", ".join(filter(None, (str(path), error.where)))
        raise
    _check_shapes_given(model, options, path)
    return model


def import_bytes(data: bytes) -> ir.Model:
    """Return the model in the TFLite file *data*.

    Raises:
        EdgecError: ``MODEL_UNREADABLE``, ``MODEL_TOO_LARGE`` or ``MODEL_UNSUPPORTED``.
    """
    contents = read_contents(data)
    try:
        graph = Graph(contents)
        for operator in contents.operators:
            _translate(operator, graph)
        model = ir.Model(graph.finish(OPSET), ir_version=IR_VERSION, producer_name="edgec")
        check_shapes(model)
    except Malformed as problem:
        raise unreadable(str(problem)) from problem
    settle_layout(model.graph)
    if graph.is_batch_open:
        _open_batch(model)
    _describe(model, contents)
    return model


def _translate(operator: Operator, graph: Graph) -> None:
    read = readers().get(operator.name)
    if read is None:
        raise unknown(operator.name, operator.index, operator.outputs[0].name)
    try:
        read(Emitter(operator, graph))
    except _CONTRADICTIONS as error:
        raise Malformed(
            f"operator {operator.index} ({operator.name}) contradicts its tensors: {error}"
        ) from error


def _open_batch(model: ir.Model) -> None:
    """Leave the length of the first axis open; shapes in between are inferred anew.

    Where operators fix the length after all, whatever the interface says, it stays 1.
    """
    closed = {value: value.shape for value in _interface(model)}
    for value, shape in closed.items():
        if shape is not None:
            value.shape = ir.Shape([BATCH, *shape[1:]])
    try:
        check_shapes(model)
    except Malformed:
        for value, shape in closed.items():
            value.shape = shape
    forget_shapes(model)


def _interface(model: ir.Model) -> list[ir.Value]:
    return [*model.graph.inputs, *model.graph.outputs]


def _describe(model: ir.Model, contents: Contents) -> None:
    """Keep who made the file, and the manifest of a file that edgec wrote."""
    model.graph.doc_string = contents.description or None
    if contents.metadata:
        model.metadata_props["edgec"] = json.dumps(dict(contents.metadata), sort_keys=True)


def _check_shapes_given(model: ir.Model, options: IngestOptions, path: Path) -> None:
    """Refuse shapes that contradict the file, which states its own."""
    inputs = {value.name or "": value for value in model.graph.inputs}
    for name, given in options.input_shapes.items():
        if name not in inputs:
            problem, expected = f"the model has no input '{name}'", f"one of: {', '.join(inputs)}"
        elif not _agrees(given, inputs[name]):
            problem = f"--input-shape {list(given)} contradicts the file"
            expected = f"{name}: {inputs[name].shape}"
        else:
            continue
        raise EdgecError(Code.USAGE, problem, where=str(path), expected=expected)


def _agrees(given: tuple[int, ...], value: ir.Value) -> bool:
    own = value.shape or ir.Shape([])
    return len(own) == len(given) and all(
        not isinstance(have, int) or have == want for have, want in zip(own, given, strict=True)
    )
