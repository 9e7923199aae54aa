"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR.

LiteRT's nearest neighbour takes ``floor((i + 0.5) * scale)`` with half-pixel centers, which is the
pixel nearest to ``(i + 0.5) * scale - 0.5`` with ties upwards; ``floor(i * scale)`` without; and
``round(i * scale)`` with aligned corners.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.ops.windows import channels_first, channels_last, nchw


def _bilinear(e: Emitter) -> None:
    options = e.options(schema.ResizeBilinearOptionsT)
    _resize(e, {"mode": "linear", "coordinate_transformation_mode": _placement(options)})


def _nearest(e: Emitter) -> None:
    options = e.options(schema.ResizeNearestNeighborOptionsT)
    placement = _placement(options)
    attributes = {
        "mode": "nearest",
        "coordinate_transformation_mode": placement,
        "nearest_mode": "floor" if placement == "asymmetric" else "round_prefer_ceil",
    }
    _resize(e, attributes)


def _placement(options: Any) -> str:  # noqa: ANN401 (a class of the schema)
    if options.alignCorners:
        return "align_corners"
    return "half_pixel" if options.halfPixelCenters else "asymmetric"


def _resize(e: Emitter, attributes: dict[str, str]) -> None:
    """Only height and width are named, so that the batch axis may stay open."""
    source = channels_first(e, e.shared(0))
    shape = nchw(e.out().shape)
    if static_shape(source)[:2] != shape[:2] or list(shape[2:]) != e.ints(1, "the size"):
        raise e.refuse("its size is not that of its output")
    sizes = e.constant(np.asarray(shape[2:], np.int64))
    inputs = [source, None, None, sizes]
    result = e.emit("Resize", inputs, shape, {**attributes, "axes": [2, 3]}, params=e.params)
    e.finish(channels_last(e, result))


READ = {"RESIZE_BILINEAR": _bilinear, "RESIZE_NEAREST_NEIGHBOR": _nearest}
