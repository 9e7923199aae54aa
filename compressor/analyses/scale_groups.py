"""Which integer tensors must share one scale, and whose values decide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import onnx_ir as ir

from compressor.analyses.integer_regions import IntegerRegions
from compressor.ir.op_facts import Role, data_inputs, facts_of
from compressor.ir.quant import QuantParams
from compressor.ir.rewrite import sole_consumer


@dataclass(frozen=True, kw_only=True)
class ScaleGroup:
    """Tensors of one scale.

    Attributes:
        members: the values, by name.
        voters: those whose observed range decides the scale.
        fixed: parameters that an integer kernel prescribes, instead of an observed range.
    """

    members: tuple[str, ...]
    voters: tuple[str, ...]
    fixed: QuantParams | None = None


def scale_groups(graph: ir.Graph, regions: IntegerRegions) -> list[ScaleGroup]:
    """Group every tensor that an integer node reads or writes.

    Data movement shares its input's scale. What only a clamp reads takes the clamp's output
    scale, since the integers saturate where the clamp would cut. What only a Concat reads takes
    the Concat's scale; other inputs of a Concat are converted.
    """
    values = _integer_values(graph, regions)
    parent = {name: name for name in values}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    mute = set()
    for node in graph:
        if node not in regions.integer:
            continue
        for value in data_inputs(node):
            if not _shares(node, value, regions):
                continue
            for out in node.outputs:
                parent[root(_name(out))] = root(_name(value))
            if facts_of(node).role is Role.CLAMP:
                mute.add(_name(value))
    groups: dict[str, list[str]] = {}
    for name in values:
        groups.setdefault(root(name), []).append(name)
    return [_group(members, mute, values) for members in groups.values()]


def observed_names(groups: Iterable[ScaleGroup]) -> list[str]:
    """Return the values that calibration must watch."""
    return [name for group in groups if group.fixed is None for name in group.voters]


def _integer_values(graph: ir.Graph, regions: IntegerRegions) -> dict[str, ir.Value]:
    values: dict[str, ir.Value] = {}
    for node in graph:
        if node in regions.integer:
            made = () if node in regions.float_results else node.outputs
            for value in (*data_inputs(node), *made):
                values[_name(value)] = value
    return values


def _shares(node: ir.Node, value: ir.Value, regions: IntegerRegions) -> bool:
    """Whether *value*, read by the integer *node*, takes part in *node*'s output scale."""
    role = facts_of(node).role
    producer = value.producer()
    if role is Role.MOVEMENT:
        return True
    if producer is None or producer not in regions.integer or sole_consumer(value) is None:
        return False
    facts = facts_of(producer)
    if role is Role.JOIN:
        return facts.output is None and facts.role in (Role.COMPUTE, Role.ARITHMETIC, Role.CLAMP)
    if role is Role.CLAMP:
        return facts.output is None and facts.role in (Role.COMPUTE, Role.ARITHMETIC)
    return False


def _group(members: list[str], mute: set[str], values: Mapping[str, ir.Value]) -> ScaleGroup:
    fixed = None
    for name in members:
        producer = values[name].producer()
        if producer is not None and facts_of(producer).output is not None:
            fixed = facts_of(producer).output
    voters = [name for name in members if name not in mute]
    return ScaleGroup(members=tuple(members), voters=tuple(voters or members), fixed=fixed)


def _name(value: ir.Value) -> str:
    if value.name is None:
        raise ValueError("every value of a canonical graph has a name")
    return value.name
