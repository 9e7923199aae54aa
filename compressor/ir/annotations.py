"""Typed accessors over onnx_ir's ``meta``: the only place that knows the keys.

A value without ``QuantParams`` is float (or whatever its ONNX type says). A value with them holds
integers at run time, while the graph stays an ordinary float ONNX graph: constants keep their real
values in ``const_value`` and exporters write ``params.quantize(real)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import onnx_ir as ir

from compressor.ir.quant import QuantParams

_QUANT = "edgec.quant"
_PRECISION = "edgec.precision"
_ORIGIN = "edgec.origin"
_REASON = "edgec.reason"
_DATA_FILES = "edgec.data_files"

EDGEC_DOMAIN = "edgec"
CONVERT = "Convert"


class Precision(Enum):
    """How a node computes."""

    FLOAT = "float"
    INTEGER = "integer"
    WEIGHT_ONLY = "weight-only"
    DYNAMIC = "dynamic"
    FP16 = "fp16"


def quant_of(value: ir.Value | None) -> QuantParams | None:
    """Return the integer representation of *value*, or None when it is float."""
    return None if value is None else value.meta.get(_QUANT)


def set_quant(value: ir.Value, params: QuantParams | None) -> None:
    """Give *value* the representation *params*; None makes it float."""
    if params is None:
        value.meta.pop(_QUANT, None)
    else:
        value.meta[_QUANT] = params


def precision_of(node: ir.Node) -> Precision:
    """Return how *node* computes; float unless a pass decided otherwise."""
    precision: Precision = node.meta.get(_PRECISION, Precision.FLOAT)
    return precision


def set_precision(node: ir.Node, precision: Precision, reason: str = "") -> None:
    """Decide how *node* computes, and *reason* when it is not what was asked for."""
    node.meta[_PRECISION] = precision
    node.meta[_REASON] = reason


def reason_of(node: ir.Node) -> str:
    """Return why *node* was left at its precision, or an empty string."""
    reason: str = node.meta.get(_REASON, "")
    return reason


def origin_of(node: ir.Node) -> tuple[str, ...]:
    """Return the names of the source nodes that *node* stands for."""
    origin: tuple[str, ...] = node.meta.get(_ORIGIN, ())
    return origin or ((node.name,) if node.name else ())


def stamp_origin(node: ir.Node, *sources: ir.Node) -> None:
    """Record that *node* replaces *sources*; keeps each name once, in order."""
    set_origin(node, [name for source in sources for name in origin_of(source)])


def set_origin(node: ir.Node, names: Sequence[str]) -> None:
    """Record the *names* of the source nodes that *node* stands for, each once."""
    node.meta[_ORIGIN] = tuple(dict.fromkeys(names))


def set_data_files(model: ir.Model, files: Sequence[Path]) -> None:
    """Record which *files* beside that of *model* hold its constants."""
    model.meta[_DATA_FILES] = tuple(files)


def data_files_of(model: ir.Model) -> tuple[Path, ...]:
    """Return the files beside that of *model* that its constants were read from."""
    files: tuple[Path, ...] = model.meta.get(_DATA_FILES, ())
    return files


def is_convert(node: ir.Node | None) -> bool:
    """Whether *node* only changes a tensor's representation."""
    return node is not None and node.op_type == CONVERT and node.domain == EDGEC_DOMAIN
