"""GATHER, GATHER_ND, EMBEDDING_LOOKUP and ONE_HOT."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.ops.reduction import normalized
from compressor.ir.annotations import Precision, quant_of, set_precision


def _gather(e: Emitter) -> None:
    options = e.options(schema.GatherOptionsT)
    if options.batchDims:
        raise e.refuse("a gather with batch dimensions has no ONNX form")
    source = e.shared(0)
    axis = normalized(options.axis, e.tensor(0).rank)
    inputs = [source, e.input(1)]
    shape = (*e.tensor(0).shape[:axis], *e.tensor(1).shape, *e.tensor(0).shape[axis + 1 :])
    e.finish(e.emit("Gather", inputs, shape, {"axis": axis}, params=e.params))


def _gather_nd(e: Emitter) -> None:
    inputs = [e.shared(0), e.cast(e.input(1), ir.DataType.INT64)]
    e.finish(e.emit("GatherND", inputs, e.out().shape, params=e.params))


def _lookup(e: Emitter) -> None:
    """Rows of a table; an integer table with a float result is stored as integers only."""
    table = e.input(1)
    shape = (*e.tensor(0).shape, *e.tensor(1).shape[1:])
    result = e.emit("Gather", [table, e.input(0)], shape, {"axis": 0}, params=e.params)
    node = result.producer()
    if e.params is None and quant_of(table) is not None and node is not None:
        set_precision(node, Precision.WEIGHT_ONLY)
    e.finish(result)


def _one_hot(e: Emitter) -> None:
    rank = e.out().rank
    axis = normalized(e.options(schema.OneHotOptionsT).axis, rank)
    depth = e.constant(np.asarray(e.ints(1, "the depth")[0], np.int64))
    on, off = (e.array(index, "a value").reshape(-1)[:1] for index in (2, 3))
    values = e.constant(np.concatenate([off, on]))
    inputs = [e.cast(e.input(0), ir.DataType.INT64), depth, values]
    e.finish(e.emit("OneHot", inputs, e.out().shape, {"axis": axis}, dtype=values.dtype))


READ = {
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "EMBEDDING_LOOKUP": _lookup,
    "ONE_HOT": _one_hot,
}
