"""DEPTH_TO_SPACE and SPACE_TO_DEPTH; TFLite orders channels as ONNX's ``DCR`` mode does."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.ops.windows import channels_first, channels_last, nchw


def _depth_to_space(e: Emitter) -> None:
    _move(e, "DepthToSpace", e.options(schema.DepthToSpaceOptionsT).blockSize)


def _space_to_depth(e: Emitter) -> None:
    _move(e, "SpaceToDepth", e.options(schema.SpaceToDepthOptionsT).blockSize)


def _move(e: Emitter, op_type: str, block: int) -> None:
    if block < 1:
        raise Malformed(f"operator {e.operator.index} has blocks of {block}")
    source = channels_first(e, e.shared(0))
    shape = nchw(e.out().shape)
    result = e.emit(op_type, [source], shape, {"blocksize": block}, params=e.params)
    e.finish(channels_last(e, result))


READ = {"DEPTH_TO_SPACE": _depth_to_space, "SPACE_TO_DEPTH": _space_to_depth}
