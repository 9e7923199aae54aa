"""Metadata as mobile libraries read it, decoded here by the places that the schema gives fields."""

import io
import struct
import zipfile
from pathlib import Path

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.table import Table

from compressor.ingest.tflite.importer import import_bytes
from compressor.ir.interface import interface_of
from compressor.ir.usage import Usage
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
from exporters import tflite
from exporters.protocol import ExportOptions
from runtimes.litert import open_session
from runtimes.protocol import SessionOptions
from tests.quantized import residual

LABELS = tuple(f"class {index}" for index in range(10))
USAGE = Usage(mean=(127.5, 1.0, 2.0), std=(64.0, 3.0, 4.0), color="RGB", labels=LABELS)


def written(usage: Usage, *, last: bool = True) -> bytes:
    model = residual()
    InferShapes().run(model, PassContext())
    if last:
        SetIoLayout().run(model, PassContext())
    return tflite.write(model, ExportOptions(usage=usage))


def root_of(content: bytes) -> Table:
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    [entry] = [m for m in model.metadata if m.name == b"TFLITE_METADATA"]
    data = bytes(model.buffers[entry.buffer].data)
    assert data[4:8] == b"M001"
    return Table(bytearray(data), struct.unpack_from("<I", data)[0])


def field(table: Table, place: int) -> int:
    offset = table.Offset(4 + 2 * place)
    assert offset, f"field {place} is absent"
    return int(offset)


def child(table: Table, place: int) -> Table:
    return Table(table.Bytes, table.Indirect(table.Pos + field(table, place)))


def children(table: Table, place: int) -> list[Table]:
    offset = field(table, place)
    start = table.Vector(offset)
    return [
        Table(table.Bytes, table.Indirect(start + 4 * index))
        for index in range(table.VectorLen(offset))
    ]


def text(table: Table, place: int) -> str:
    return bytes(table.String(table.Pos + field(table, place))).decode()


def byte(table: Table, place: int) -> int:
    return int(table.Get(flatbuffers.number_types.Uint8Flags, table.Pos + field(table, place)))


def floats(table: Table, place: int) -> list[float]:
    offset = field(table, place)
    start = table.Vector(offset)
    return [
        table.Get(flatbuffers.number_types.Float32Flags, start + 4 * i)
        for i in range(table.VectorLen(offset))
    ]


def test_images_their_normalization_and_the_labels() -> None:
    subgraph = children(root_of(written(USAGE)), 3)[0]
    [image], [scores] = children(subgraph, 2), children(subgraph, 3)
    assert (text(image, 0), text(scores, 0)) == ("x", "y")
    content = child(image, 3)
    assert byte(content, 0) == 2  # ImageProperties
    assert byte(child(content, 1), 0) == 1  # RGB
    [unit] = children(image, 4)
    assert byte(unit, 0) == 1  # NormalizationOptions
    options = child(unit, 1)
    assert floats(options, 0) == list(USAGE.mean)
    assert floats(options, 1) == list(USAGE.std)
    [file] = children(scores, 6)
    assert text(file, 0) == "labels.txt"
    assert byte(file, 2) == 2  # TENSOR_AXIS_LABELS


@pytest.mark.parametrize("last", [True, False])
def test_the_file_still_runs_and_holds_the_labels(last: bool, tmp_path: Path) -> None:
    content = written(USAGE, last=last)
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    session = open_session(path, SessionOptions())
    assert session.interface.inputs[0].name == "x"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("labels.txt").decode().splitlines() == list(LABELS)
    assert interface_of(import_bytes(content)).outputs[0].name == "y"
    assert written(USAGE, last=last) == content


def test_labels_that_do_not_fit_the_output_are_left_out() -> None:
    content = written(Usage(labels=("only", "two")))
    assert not zipfile.is_zipfile(io.BytesIO(content))
    scores = children(children(root_of(content), 3)[0], 3)[0]
    assert scores.Offset(4 + 2 * 6) == 0


def test_nothing_is_written_where_nothing_is_asked_for() -> None:
    model = schema.ModelT.InitFromPackedBuf(tflite.write(residual(), ExportOptions()), 0)
    assert b"TFLITE_METADATA" not in [entry.name for entry in model.metadata]
