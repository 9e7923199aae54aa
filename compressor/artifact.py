"""What comes out: a file, the interface it keeps, and where it came from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import onnx_ir as ir

from compressor.analyses.cost import macs_of
from compressor.ir.annotations import Precision, precision_of, quant_of, reason_of
from compressor.ir.interface import Interface
from compressor.ir.op_facts import Role, data_inputs, facts_of
from compressor.ir.usage import Usage
from compressor.recipe import Recipe

_COMPUTING = frozenset({Precision.INTEGER, Precision.DYNAMIC})
_TOOLS = ("edgec", "onnx", "onnx-ir", "numpy")


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What was written in one format.

    Attributes:
        path: the file that a runtime is given.
        files: all files that a runtime loads, *path* first: large constants have their own.
        format: the exporter's name.
        interface: what it must offer, batch bound as the format needs.
    """

    path: Path
    files: tuple[Path, ...]
    format: str
    interface: Interface


@dataclass(frozen=True, kw_only=True)
class Trial:
    """An artifact, and the float model in the same format, if that can hold it, to time against."""

    artifact: Artifact
    baseline: Path | None


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """What of one format went back to float because INT8 did not make it faster.

    Attributes:
        artifact: the file's name.
        runtime: where it was measured.
        what: the nodes that went back, in words.
        before: latency with them in INT8, over that of the float model.
        after: latency without, over that of the float model.
    """

    artifact: str
    runtime: str
    what: str
    before: float
    after: float

    def to_json(self) -> dict[str, Any]:
        """Return the rollback as a JSON-ready mapping."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        """Say what went back and what came of it."""
        return (
            f"{self.artifact}: {self.what} went back to float: with them INT8 takes "
            f"{self.before:.2f}x of float in {self.runtime}, without {self.after:.2f}x"
        )


@dataclass(frozen=True, kw_only=True)
class QuantizationSummary:
    """What share of a graph computes in integers, and why the rest does not.

    Attributes:
        integer_macs: share of the multiply-accumulates, 0 to 1.
        integer_weights: share of the weight elements stored as integers, 0 to 1.
        kept_float: nodes that compute in float: name, operator and reason.
    """

    integer_macs: float
    integer_weights: float
    kept_float: tuple[tuple[str, str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON-ready mapping."""
        return {
            "integer_macs": round(self.integer_macs, 6),
            "integer_weights": round(self.integer_weights, 6),
            "kept_float": [
                {"node": name, "op_type": op, "reason": why} for name, op, why in self.kept_float
            ],
        }


def summarize_quantization(model: ir.Model) -> QuantizationSummary:
    """Return how much of *model* is integer."""
    total = sum(macs_of(node) for node in model.graph)
    integer = sum(macs_of(node) for node in model.graph if precision_of(node) in _COMPUTING)
    weights = [v for v in model.graph.initializers.values() if _is_weight(v)]
    elements = sum(v.const_value.size for v in weights if v.const_value is not None)
    stored = sum(v.const_value.size for v in weights if quant_of(v) and v.const_value is not None)
    kept = tuple(
        (node.name or "", node.op_type, reason_of(node))
        for node in model.graph
        if reason_of(node) and precision_of(node) not in _COMPUTING and _does_arithmetic(node)
    )
    return QuantizationSummary(
        integer_macs=integer / total if total else 0.0,
        integer_weights=stored / elements if elements else 0.0,
        kept_float=kept,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a bare source tree
        return "unknown"


def _does_arithmetic(node: ir.Node) -> bool:
    """Whether *node* makes new real numbers, rather than moving some or reading a shape."""
    real = bool(data_inputs(node)) and node.outputs[0].dtype == ir.DataType.FLOAT
    return real and facts_of(node).role not in (Role.MOVEMENT, Role.JOIN)


def _is_weight(value: ir.Value) -> bool:
    """Whether *value* is a float constant of some arithmetic, unlike a clamp's bound."""
    roles = {facts_of(node).role for node in value.consumers()}
    is_float = value.dtype == ir.DataType.FLOAT and value.const_value is not None
    return is_float and not roles <= {Role.MOVEMENT, Role.CLAMP}


def manifest_of(
    recipe: Recipe,
    fingerprint: str,
    summary: QuantizationSummary,
    interface: Interface,
    usage: Usage,
) -> Mapping[str, str]:
    """Return what is embedded in every artifact: where it comes from, and how it is used.

    There are no paths, hosts or dates in it.
    """
    versions = {name: _version(name) for name in _TOOLS}
    share = {"integer_macs": summary.integer_macs, "integer_weights": summary.integer_weights}
    return {
        "edgec.interface": json.dumps(interface.to_json(), sort_keys=True),
        "edgec.usage": json.dumps(usage.to_json(), sort_keys=True),
        "edgec.recipe": json.dumps(recipe.making(), sort_keys=True),
        "edgec.source": fingerprint,
        "edgec.versions": json.dumps(versions, sort_keys=True),
        "edgec.quantization": json.dumps(share, sort_keys=True),
    }
