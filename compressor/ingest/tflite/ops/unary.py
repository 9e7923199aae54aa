"""Elementwise operators of one operand."""

from __future__ import annotations

import numpy as np

from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.ops.tables import Read


def _integer(op_type: str) -> Read:
    """Operators with an int8 kernel."""

    def read(e: Emitter) -> None:
        e.finish(e.emit(op_type, [e.operand(0)], e.tensor(0).shape, params=e.params))

    return read


def _real(op_type: str) -> Read:
    def read(e: Emitter) -> None:
        e.finish(e.emit(op_type, [e.real(0)], e.tensor(0).shape))

    return read


def _rsqrt(e: Emitter) -> None:
    root = e.emit("Sqrt", [e.real(0)], e.tensor(0).shape)
    e.finish(e.emit("Reciprocal", [root], e.tensor(0).shape))


def _square(e: Emitter) -> None:
    source = e.real(0)
    e.finish(e.emit("Mul", [source, source], e.tensor(0).shape))


def _zeros(e: Emitter) -> None:
    source = e.real(0)
    zero = e.constant(np.zeros((), e.tensor(0).dtype if e.params is None else np.float32))
    e.finish(e.emit("Mul", [source, zero], e.tensor(0).shape))


READ = {
    "ABS": _integer("Abs"),
    "CEIL": _real("Ceil"),
    "COS": _real("Cos"),
    "EXP": _integer("Exp"),
    "FLOOR": _real("Floor"),
    "LOG": _integer("Log"),
    "LOGICAL_NOT": _real("Not"),
    "NEG": _real("Neg"),
    "ROUND": _real("Round"),
    "RSQRT": _rsqrt,
    "SIGN": _real("Sign"),
    "SIN": _real("Sin"),
    "SQRT": _real("Sqrt"),
    "SQUARE": _square,
    "ZEROS_LIKE": _zeros,
}
