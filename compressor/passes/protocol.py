"""What a pass is: options in frozen fields, one ``run`` that says truthfully what it changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import onnx_ir as ir

from compressor.calibration.channels import ChannelStatistics
from compressor.calibration.table import CalibrationTable


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A node that a pass could have changed but did not, and why."""

    node: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a pass did: how often it did what, and what it left alone."""

    counts: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()

    @property
    def modified(self) -> bool:
        """Whether the graph or its annotations differ from before."""
        return any(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class PassContext:
    """What passes may know beside the graph.

    Attributes:
        table: activation statistics of this very graph, for the passes that need them.
        channels: statistics of each channel of activations of this graph, by value name.
    """

    table: CalibrationTable | None = None
    channels: Mapping[str, ChannelStatistics] = field(default_factory=dict)


class Pass(Protocol):
    """A rewrite or annotation of the whole graph, in place."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Change *model* and return what was changed; the graph is valid before and after."""
        ...


def pass_name(step: Pass) -> str:
    """Return the name of a pass as files and the command line spell it: ``fold_batchnorm``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(step).__name__).lower()
