"""Offsets that leave the file are found before anything follows them."""

import contextlib
import struct
import time
from collections.abc import Callable

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from compressor.ingest.tflite.flatbuffer import Malformed, check_structure
from tests.compressor.ingest.tflite.cases import CASES

SECONDS = 2.0


@pytest.mark.parametrize("name", CASES)
def test_intact_files_pass(name: str) -> None:
    check_structure(CASES[name]())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "identifier"),
        (b"\x08\0\0\0TFL2" + bytes(32), "identifier"),
        (struct.pack("<I", 2**31) + b"TFL3" + bytes(32), "outside the file"),
        (struct.pack("<I", 8) + b"TFL3" + struct.pack("<i", 100) + bytes(32), "outside the file"),
        (struct.pack("<I", 8) + b"TFL3" + struct.pack("<i", -100) + bytes(8), "outside the file"),
        (struct.pack("<I", 8) + b"TFL3" + bytes(64), "leaves the file"),
    ],
)
def test_damage_is_named(data: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        check_structure(data)


@given(st.binary(max_size=200))
def test_noise_is_malformed_or_passes(noise: bytes) -> None:
    with contextlib.suppress(Malformed):
        check_structure(struct.pack("<I", 8) + b"TFL3" + noise)


def test_tables_that_many_offsets_share_are_visited_once() -> None:
    """Nine million paths lead to one tensor; walking each would take minutes."""
    count = 3000
    builder = flatbuffers.Builder(1024)
    schema.TensorStart(builder)
    tensor = schema.TensorEnd(builder)
    tensors = _repeated(builder, schema.SubGraphStartTensorsVector, tensor, count)
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    graphs = _repeated(builder, schema.ModelStartSubgraphsVector, graph, count)
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    start = time.process_time()
    check_structure(bytes(builder.Output()))
    assert time.process_time() - start < SECONDS


def _repeated(
    builder: flatbuffers.Builder, start: Callable[..., int], table: int, count: int
) -> int:
    start(builder, count)
    for _ in range(count):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()
