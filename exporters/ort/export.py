"""From the ONNX form of a graph to ORT format, through ONNX Runtime's own converter.

The graph is optimised now, because a reduced build cannot do it on the device, but only as far as
every processor can follow: fusions into portable kernels (level "extended"), no blocked layouts,
and int8 stays int8, where x86 alone would rather have uint8.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.files import write_atomically
from exporters import onnx
from exporters._flatbuffer_limit import refuse_large
from exporters.ort.operators import CONFIG_SUFFIX, required_operators
from exporters.ort.stable import stable
from exporters.protocol import ExportOptions, Refusal, save_bytes

SUFFIX = ".ort"
_ERRORS_ONLY = 3


def check(model: ir.Model, options: ExportOptions) -> list[Refusal]:
    """Return no refusals: ORT format holds every ONNX graph."""
    return onnx.check(model, options)


def write(model: ir.Model, options: ExportOptions) -> bytes:
    """Return *model* as the bytes of an .ort file; the same bytes every time.

    Raises:
        EdgecError: ``FP16_OVERFLOW`` as for ONNX; ``ARTIFACT_TOO_LARGE`` beyond 2 GiB;
            ``ARTIFACT_MISMATCH`` when ONNX Runtime cannot load the graph, which is a defect of the
            exporter.
    """
    refuse_large(model, options, "ort")
    # What could be done on load would be done here, and the file would hold floats.
    return stable(
        _converted(onnx.write(model, dataclasses.replace(options, restore_on_load=False)))
    )


def save(model: ir.Model, options: ExportOptions, path: Path) -> tuple[Path, ...]:
    """Write *model* to *path*, and beside it the configuration of a build that runs it.

    Raises:
        EdgecError: as ``write``.
    """
    content = write(model, options)
    for suffix, companion in companions(content).items():
        write_atomically(path.with_suffix(suffix), companion)
    return save_bytes(content, path)


def companions(content: bytes) -> Mapping[str, bytes]:
    """Return the configuration of a reduced build that runs *content*, by suffix of its file."""
    return {CONFIG_SUFFIX: required_operators(content)}


def _converted(content: bytes) -> bytes:
    """Return the ONNX file *content* in ORT format."""
    import onnxruntime  # half a second that other formats need not wait for

    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        path = Path(folder) / "model.ort"
        try:
            onnxruntime.InferenceSession(
                content, _portable(path), providers=["CPUExecutionProvider"]
            )
        except _exceptions() as error:
            raise EdgecError(
                Code.ARTIFACT_MISMATCH,
                f"ONNX Runtime cannot convert the graph to ORT format: {error}",
                where="--to ort",
                hint="leave ort out of --to",
            ) from error
        return path.read_bytes()


def _exceptions() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises for a graph that it does not take."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (RuntimeError, ValueError, state.Fail, state.InvalidGraph, state.NotImplemented)


def _portable(path: Path) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    """Return options that write the optimised graph to *path*, fit for any processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    options.log_severity_level = _ERRORS_ONLY  # it warns that the file suits this machine only
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    return options
