"""Constants in external files: mapped into memory while someone reads them, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx_ir as ir

from compressor.ir.annotations import set_data_files
from compressor.ir.lazy import stored


def map_external(model: ir.Model, path: Path) -> None:
    """Let the constants of *model*, read from *path*, that lie in files be read when they are used.

    The files have been checked. Types narrower than a byte are left to onnx_ir, which unpacks them.
    """
    ir.external_data.set_base_dir(model.graph, path.parent)
    files: dict[Path, None] = {}
    for graph in (model.graph, *model.graph.subgraphs()):
        for value in graph.initializers.values():
            if isinstance(value.const_value, ir.ExternalTensor):
                files[Path(value.const_value.path)] = None
                value.const_value = _mapped(value.const_value)
        for node, attribute in _tensors(graph):
            tensor = attribute.as_tensor()
            if isinstance(tensor, ir.ExternalTensor):
                files[Path(tensor.path)] = None
                node.attributes[attribute.name] = ir.AttrTensor(attribute.name, _mapped(tensor))
    set_data_files(model, [file for file in files if file != path])


def _tensors(graph: ir.Graph) -> Iterator[tuple[ir.Node, ir.Attr]]:
    for node in graph:
        for attribute in list(node.attributes.values()):
            if attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref():
                yield node, attribute


def _mapped(tensor: ir.ExternalTensor) -> ir.TensorProtocol:
    if tensor.dtype.bitwidth < 8:
        return tensor
    shape = tensor.shape.numpy()
    return stored(Path(tensor.path), tensor.offset or 0, tensor.dtype, shape, tensor.name)
