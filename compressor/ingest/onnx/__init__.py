"""ONNX files: nothing in them is believed before it is checked."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx_ir as ir

from compressor.ingest.onnx.constants import map_external
from compressor.ingest.onnx.external import check_external
from compressor.ingest.onnx.naming import name_apart
from compressor.ingest.onnx.operators import check_functions, check_operators, name_domains
from compressor.ingest.onnx.reading import parse, unreadable
from compressor.ingest.onnx.scopes import check_scopes
from compressor.ingest.onnx.shapes import bind_shapes
from compressor.ingest.onnx.slimming import read_slim
from compressor.ingest.onnx.sparse import densify
from compressor.ingest.onnx.tensors import check_tensor, decode_constants
from compressor.ingest.onnx.types import check_interface, check_types, forget_defaults
from compressor.ingest.onnx.walk import check_size, tensors_of
from compressor.ingest.options import IngestOptions
from compressor.passes.convert_opset import OLDEST_OPSET

MAX_PROTO_BYTES = (1 << 31) - 1
MAX_NODES = 200_000
NEWEST_OPSET = onnx.defs.onnx_opset_version()


def accepts(path: Path) -> bool:
    """Whether *path* is named like an ONNX file."""
    return path.suffix == ".onnx"


def load(path: Path, options: IngestOptions, *, mapped: bool = True) -> ir.Model:
    """Read the ONNX model at *path* into the IR, unchanged but for sparse constants made dense.

    Tensors in external files are mapped while they are used; with *mapped*, so are large ones of a
    large file, which then must stay where it is. Declared shapes of inner values are
    dropped: they follow from the inputs, and files in the field lie about them.

    Raises:
        EdgecError: ``MODEL_UNREADABLE``, ``MODEL_TOO_LARGE``, ``MODEL_UNSUPPORTED`` or
            ``EXTERNAL_DATA``, each naming what was found.
    """
    proto = parse(path, MAX_PROTO_BYTES, read=read_slim if mapped else Path.read_bytes)
    check_size(proto, path, MAX_NODES)  # first: every later step walks all of it
    name_domains(proto)
    check_operators(proto, path, OLDEST_OPSET, NEWEST_OPSET)
    check_functions(proto, path)
    check_scopes(proto, path)
    for tensor in tensors_of(proto):
        check_tensor(tensor, path)
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            check_external(tensor, path)
    densify(proto, path)
    forget_defaults(proto)
    check_interface(proto, path)
    check_types(proto, path)
    try:
        model = ir.from_proto(proto)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise unreadable(path, str(error).partition("\n")[0]) from error
    decode_constants(model)
    name_apart(model)
    map_external(model, path)
    bind_shapes(model, options, path)
    return model
