"""From what the user names to a canonical graph: pick the importer, load, canonicalize, check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveInitializersFromInputsPass, ShapeInferencePass

from compressor.analyses.cost import Cost, cost_of
from compressor.catalog import Catalog
from compressor.errors import Code, EdgecError
from compressor.ingest.notes import notes_of
from compressor.ingest.options import IngestOptions
from compressor.ir.annotations import data_files_of
from compressor.ir.fingerprint import fingerprint
from compressor.ir.interface import Interface, interface_of
from compressor.ir.op_facts import NORMALIZATIONS, Role, facts_of
from compressor.ledger import LedgerEntry
from compressor.passes.protocol import pass_name
from compressor.passes.widen_floats import WidenFloats
from compressor.pipeline import CANONICALIZE, Evaluate, Observe, run_passes

_RUNNABLE = (".onnx", ".tflite")
IMPORTERS = Catalog("compressor.ingest", shared=("child", "notes", "options"))
_FORMS = (
    "m.onnx, m.tflite, m.keras, m.h5, m.pt2, a folder of a SavedModel or of transformers, "
    "or file.py:factory"
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A model as its author saved it, brought to canonical form.

    Attributes:
        name: what the user called it, without folders.
        model: the canonical graph; float, unless the source is integer already.
        interface: the contract that every later stage keeps.
        fingerprint: digest of the canonical graph.
        path: the file as given where a runtime can run it as it is; None for other sources.
        files: that file and those with its constants; empty for other sources.
        as_read: what the graph cost before the first pass; MACs are known where shapes are.
        ledger: what canonicalization changed.
        notes: what the user should know of how the model was read.
    """

    name: str
    model: ir.Model
    interface: Interface
    fingerprint: str
    path: Path | None
    files: tuple[Path, ...]
    as_read: Cost
    ledger: tuple[LedgerEntry, ...]
    notes: tuple[str, ...] = ()

    @property
    def other_floats(self) -> tuple[str, ...]:
        """Types of real numbers in the file that are computed in float32 here: ``float16``."""
        widened = [e.changes.counts for e in self.ledger if e.name == pass_name(WidenFloats())]
        return tuple(name for counts in widened for name in counts)


def read_source(
    spec: str,
    options: IngestOptions | None = None,
    *,
    observe: Observe | None = None,
    evaluate: Evaluate | None = None,
) -> Source:
    """Read the model named by *spec* (``m.onnx``, ``m.keras``, ``file.py:factory``...).

    Raises:
        EdgecError: a 2xx code that says what is wrong with the model.
    """
    path = Path(spec)
    raw = find_importer(spec)(path, options or IngestOptions())
    RemoveInitializersFromInputsPass()(raw)  # old files list every constant as an input as well
    if any(value.shape is None for value in raw.graph.outputs):
        ShapeInferencePass()(raw)  # the contract needs at least the rank of every output
    interface = interface_of(raw)
    as_read = cost_of(raw)
    ledger = run_passes(raw, CANONICALIZE, interface=interface, observe=observe, evaluate=evaluate)
    _check_weights(raw, spec)
    return Source(
        name=path.name,
        model=raw,
        interface=interface_of(raw),
        fingerprint=fingerprint(raw),
        path=path if path.suffix in _RUNNABLE else None,
        files=(path, *data_files_of(raw)) if path.suffix in _RUNNABLE else (),
        as_read=as_read,
        ledger=tuple(ledger),
        notes=notes_of(raw),
    )


def find_importer(spec: str) -> Callable[[Path, IngestOptions], ir.Model]:
    """Return the ``load`` of the importer that takes the model named by *spec*.

    Raises:
        EdgecError: ``MODEL_NOT_FOUND``, or ``MODEL_FORMAT_UNKNOWN`` when no importer takes it.
    """
    path = Path(spec)
    on_disk = Path(spec.rpartition(":")[0]) if ".py:" in spec else path
    if not on_disk.exists():
        raise EdgecError(
            Code.MODEL_NOT_FOUND,
            f"there is no model at '{on_disk}'",
            where=str(on_disk.absolute().parent),
            expected=f"a model: {_FORMS}",
            hint="check the spelling and the current folder",
        )
    for name in IMPORTERS:
        module = IMPORTERS[name]
        if module.accepts(path):
            load: Callable[[Path, IngestOptions], ir.Model] = module.load
            return load
    raise EdgecError(
        Code.MODEL_FORMAT_UNKNOWN,
        f"no importer takes '{path.name}'",
        where=spec,
        expected=_FORMS,
        hint="export the model to ONNX, or rename the file to the ending of its real format",
    )


def _check_weights(model: ir.Model, spec: str) -> None:
    for value in model.graph.initializers.values():
        if value.const_value is None or value.dtype is None or not value.dtype.is_floating_point():
            continue
        array = value.const_value.numpy()
        finite = np.isfinite(array) if _is_weight(value) else ~np.isnan(array)
        if not finite.all():
            count = int(np.size(array) - finite.sum())
            consumers = ", ".join(f"'{node.name}' ({node.op_type})" for node in value.consumers())
            raise EdgecError(
                Code.MODEL_NOT_FINITE,
                f"constant '{value.name}' holds {count:,} NaN or infinite values",
                where=f"{spec}, read by {consumers or 'no node'}",
                expected="finite weights",
                hint="export an earlier checkpoint, or find where training diverged",
            )


def _is_weight(value: ir.Value) -> bool:
    """Whether a layer computes with *value*; elsewhere infinity is a mask, and means something."""
    return any(
        facts_of(node).role in (Role.COMPUTE, Role.RECURRENT) or node.op_type in _LAYERS
        for node in value.consumers()
    )


_LAYERS = NORMALIZATIONS | {"BatchNormalization", "ConvTranspose", "Mul"}
