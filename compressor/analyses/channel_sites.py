"""Where the channels of an activation can be scaled, and the weights behind it the other way.

A layer is linear in its input: dividing channel ``c`` of the input by ``s[c]`` and multiplying the
weights that read it changes nothing. What makes the input takes the division over where it has
parameters for each channel: a convolution, a matrix product, or a normalization.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.op_facts import Role, facts_of
from compressor.ir.rewrite import constant_of

_ELEMENTWISE = frozenset({"Relu", "LeakyRelu"})
_POOLS = frozenset({"MaxPool", "AveragePool", "GlobalAveragePool"})


@dataclass(frozen=True, kw_only=True)
class ChannelSite:
    """An activation whose channels only layers read, or that is read by layers and others.

    Attributes:
        value: the activation.
        maker: the node whose parameters can take the division over. None when nothing can, or
            when others than the layers need the activation as it is, which is float then.
        layers: the convolutions and matrix products that read it.
        readers: the nodes that read ``value`` itself on the way to the layers.
    """

    value: ir.Value
    maker: ir.Node | None
    layers: tuple[ir.Node, ...]
    readers: tuple[ir.Node, ...]


def channel_sites(graph: ir.Graph) -> list[ChannelSite]:
    """Return the sites of *graph* in order of execution."""
    origins: dict[ir.Value, None] = {}
    for node in graph:
        if facts_of(node).role is Role.COMPUTE and node.op_type in ("Conv", "Gemm"):
            origins[_origin(node.inputs[0])] = None
    sites = (_site(value) for value in origins)
    return [site for site in sites if site is not None]


def channel_axis(layer: ir.Node) -> int:
    """Return the axis of the input channels in the input of *layer*."""
    return 1 if layer.op_type == "Conv" else -1


def _origin(value: ir.Value | None) -> ir.Value:
    """Climb over nodes that commute with the scaling of channels."""
    if value is None:
        raise ValueError("a layer has an input")
    producer = value.producer()
    if producer is None or not _commutes(producer) or producer.inputs[0] is None:
        return value
    return _origin(producer.inputs[0])


def _commutes(node: ir.Node) -> bool:
    """Whether *node* does the same to channels of any positive scale, and keeps them apart."""
    if node.op_type in _ELEMENTWISE or node.op_type in _POOLS:
        return True
    if node.op_type not in ("Reshape", "Flatten"):
        return False
    before, after = _dims(node.inputs[0]), _dims(node.outputs[0])
    if not before or not after or not isinstance(after[-1], int):
        return False
    is_rows = before[-1] == after[-1] and len(before) != 4
    is_pooled = len(after) == 2 and len(before) == 4 and before[1:] == [after[1], 1, 1]
    return is_rows or is_pooled


def _dims(value: ir.Value | None) -> list[int | str]:
    if value is None or value.shape is None:
        return []
    return [dim if isinstance(dim, int) else str(dim.value) for dim in value.shape]


def _site(value: ir.Value) -> ChannelSite | None:
    """Return the site of *value*, None when no layer can be reached without others."""
    layers: list[ir.Node] = []
    readers = []
    closed = not value.is_graph_output()
    for reader in dict.fromkeys(value.consumers()):
        found = _layers_behind(reader, value)
        if found is None:
            closed = False
        else:
            readers.append(reader)
            layers += found
    if not layers:
        return None
    producer = value.producer()
    maker = producer if closed and producer is not None and _absorbs(producer) else None
    if maker is None and not _is_float(value):
        return None  # a multiplication would come after the rounding
    return ChannelSite(
        value=value,
        maker=maker,
        layers=tuple(dict.fromkeys(layers)),
        readers=tuple(readers),
    )


def _is_float(value: ir.Value) -> bool:
    """Whether *value* is fed to the graph, or made by a node without an integer form."""
    producer = value.producer()
    while producer is not None and facts_of(producer).role is Role.MOVEMENT:
        source = producer.inputs[0]
        producer = None if source is None else source.producer()
    return producer is None or facts_of(producer).role is Role.FLOAT


def _layers_behind(node: ir.Node, value: ir.Value) -> list[ir.Node] | None:
    """Return the layers that *value* reaches through *node*; None when it reaches others too."""
    if facts_of(node).role is Role.COMPUTE and node.op_type in ("Conv", "Gemm"):
        return [node] if list(node.inputs).count(value) == 1 else None
    if not _commutes(node) or node.outputs[0].is_graph_output():
        return None
    found = [_layers_behind(reader, node.outputs[0]) for reader in node.outputs[0].consumers()]
    if None in found or not found:
        return None
    return list(_flat(found))


def _flat(lists: list[list[ir.Node] | None]) -> Iterator[ir.Node]:
    for nodes in lists:
        yield from nodes or ()


def _absorbs(node: ir.Node) -> bool:
    """Whether *node* has a constant factor for each channel of its result."""
    if node.op_type in ("Conv", "Gemm"):
        biases = [value for value in node.inputs[2:3] if value is not None]
        return facts_of(node).role is Role.COMPUTE and all(_is_vector(b) for b in biases)
    if node.op_type != "LayerNormalization" or len(node.outputs) != 1:
        return False
    return all(_is_vector(value) for value in node.inputs[1:] if value is not None)


def _is_vector(value: ir.Value) -> bool:
    array = constant_of(value)
    return array is not None and array.ndim == 1 and len(value.uses()) == 1
