"""What every exporter offers: refusals with reasons, the artifact's bytes, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.files import write_atomically
from compressor.ir.quant import IntegerType
from compressor.ir.usage import Usage


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
        sparse_weights: store weights of TFLite files that are mostly zeros by their other elements,
            to be restored when the file is loaded.
        restore_on_load: write integer weights of float nodes so that ONNX Runtime makes them float
            once, when it loads the file, instead of each time that it runs.
        manifest: key/value provenance embedded in the file.
        open_batch: let TFLite files take any number of samples, where the source does.
        usage: how to feed the model and read its answers, where the format has a place for it;
            None leaves that place empty.
    """

    activations: IntegerType = IntegerType.UINT8
    float_weights: WeightType = WeightType.FLOAT32
    sparse_weights: bool = False
    restore_on_load: bool = True
    manifest: Mapping[str, str] = field(default_factory=dict)
    open_batch: bool = False
    usage: Usage | None = None


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
        """Return the artifact's bytes; *model*, which fits into memory twice, is not changed."""
        ...

    def save(self, model: ir.Model, options: ExportOptions, path: Path) -> tuple[Path, ...]:
        """Write the artifact to *path*, and what belongs beside it; *model* is not changed.

        Returns the files that a runtime loads, *path* first. Each appears whole or not at all.
        """
        ...


def save_bytes(content: bytes, path: Path) -> tuple[Path, ...]:
    """Write an artifact of one file; as ``Exporter.save``."""
    write_atomically(path, content)
    return (path,)


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
