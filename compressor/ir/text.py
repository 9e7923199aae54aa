"""A graph as text in ONNX's own syntax, and back.

Constants of more than a few elements stand in the text as references to their digest, in the form
that ONNX has for data outside of the model; whoever has the constants can read the text back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx
import onnx.parser
import onnx.printer
import onnx_ir as ir

from compressor.ir.packing import KEY, pack, unpack

_INLINE_ELEMENTS = 8
_LOCATION = "location"


def to_text(model: ir.Model, *, annotated: bool = True) -> str:
    """Return *model* as text; with its annotations unless they would only get in the way."""
    proto = pack(model)
    if not annotated:
        kept = [entry for entry in proto.metadata_props if entry.key != KEY]
        del proto.metadata_props[:]
        proto.metadata_props.extend(kept)
    del proto.graph.value_info[:]  # shapes follow from the graph, and hide it
    for tensor in proto.graph.initializer:
        _refer(tensor, model.graph.initializers[tensor.name])
    text: str = onnx.printer.to_text(proto)
    return text.rstrip() + "\n"


def from_text(text: str, constants: Mapping[str, npt.NDArray[np.generic]]) -> ir.Model:
    """Return the model that *text* shows; *constants* holds arrays by ``digest_of``.

    Raises:
        KeyError: the text refers to a constant that is not there.
        onnx.parser.ParseError: it is no model in ONNX's syntax.
    """
    proto = onnx.parser.parse_model(text)
    for tensor in proto.graph.initializer:
        where = {entry.key: entry.value for entry in tensor.external_data}
        if _LOCATION in where:
            name = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(constants[where[_LOCATION]], name))
    return unpack(proto)


def digest_of(array: npt.NDArray[np.generic]) -> str:
    """Return what a text calls the constant *array*."""
    state = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    state.update(np.ascontiguousarray(array).view(np.uint8).data)
    return f"sha256:{state.hexdigest()}"


def _refer(tensor: onnx.TensorProto, value: ir.Value) -> None:
    """Replace a large constant by a reference."""
    constant = value.const_value
    if constant is None or constant.size <= _INLINE_ELEMENTS:
        return
    for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
        tensor.ClearField(field)
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = onnx.StringStringEntryProto(key=_LOCATION, value=digest_of(constant.numpy()))
    tensor.external_data.append(entry)
