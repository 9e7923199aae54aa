"""What every exporter offers: refusals with reasons, the file's bytes, and files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ir.quant import IntegerType


class WeightType(Enum):
    """Storage of float weights in the artifact."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Choices among mathematically equal forms of one annotated graph.

    Attributes:
        activations: 8-bit activation type of ONNX files; uint8 is the fast one on x86, int8 on
            Arm. TFLite files always use int8.
        float_weights: storage type of the weights of float nodes.
        manifest: key/value provenance embedded in the file.
    """

    activations: IntegerType = IntegerType.UINT8
    float_weights: WeightType = WeightType.FLOAT32
    manifest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a node cannot be exported: its name, operator, and the reason."""

    node: str
    op_type: str
    reason: str


class Exporter(Protocol):
    """The functions that an exporter module defines."""

    SUFFIX: str

    def check(self, model: ir.Model, options: ExportOptions) -> list[Refusal]:
        """Return a refusal for each node that cannot be exported; empty when all can."""
        ...

    def write(self, model: ir.Model, options: ExportOptions) -> bytes:
        """Return the artifact's bytes; *model* is not changed."""
        ...

    def companions(self, content: bytes) -> Mapping[str, bytes]:
        """Return the files that belong beside the artifact *content*, by suffix."""
        ...


def no_companions(content: bytes) -> Mapping[str, bytes]:  # noqa: ARG001
    """Return nothing: the artifact is one file."""
    return {}


def raise_refusals(refusals: list[Refusal], target: str) -> None:
    """Raise ``NO_LOWERING`` naming the refused nodes, when there are any."""
    if not refusals:
        return
    first = refusals[0]
    more = f" (and {len(refusals) - 1} more nodes)" if len(refusals) > 1 else ""
    raise EdgecError(
        Code.NO_LOWERING,
        f"operator {first.op_type} cannot be written as {target}: {first.reason}{more}",
        where=f"node '{first.node}'",
        expected=f"operators and forms that {target} has",
        hint="leave this format out of --to, or replace the operator in the source model",
    )
