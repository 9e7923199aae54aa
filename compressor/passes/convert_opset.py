"""Bring every model to the one opset that the rest of the compiler reads."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import onnx_ir as ir
from onnxscript import version_converter

from compressor.errors import Code, EdgecError
from compressor.passes.protocol import Changes, PassContext

CANONICAL_OPSET = 21
OLDEST_OPSET = 11


@dataclass(frozen=True, kw_only=True)
class ConvertOpset:
    """Convert the default domain to ``CANONICAL_OPSET``."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Convert *model* in place.

        Raises:
            EdgecError: ``MODEL_UNSUPPORTED`` when there is no conversion from its opset.
        """
        opset = model.opset_imports.get("", CANONICAL_OPSET)
        if opset == CANONICAL_OPSET:
            model.opset_imports[""] = CANONICAL_OPSET
            return Changes()
        logging.getLogger("onnxscript").setLevel(logging.ERROR)
        version_converter.convert_version(model, CANONICAL_OPSET, fallback=True)
        if model.opset_imports.get("") != CANONICAL_OPSET:
            raise EdgecError(
                Code.MODEL_UNSUPPORTED,
                f"the model uses opset {opset}, which cannot be converted to {CANONICAL_OPSET}",
                expected=f"an opset from {OLDEST_OPSET} to {CANONICAL_OPSET}",
                hint=f"export the model again with opset {CANONICAL_OPSET}",
            )
        model.ir_version = max(model.ir_version or 0, 10)
        return Changes(counts={f"opset {opset} to {CANONICAL_OPSET}": 1})
