"""How ONNX files are refused: always as a fact about the file, with what to try."""

from __future__ import annotations

from pathlib import Path

from compressor.errors import Code, EdgecError


def unreadable(path: Path, why: str) -> EdgecError:
    """Return the error for a file that breaks the format's rules."""
    return EdgecError(
        Code.MODEL_UNREADABLE,
        f"this is not a readable ONNX model: {why}",
        where=str(path),
        expected="an ONNX file as its exporter wrote it",
        hint="copy or export it again; `python -m onnx.checker FILE` tells more",
    )


def unsupported(path: Path, what: str, *, node: str = "") -> EdgecError:
    """Return the error for a well-formed file with something that edgec does not take."""
    return EdgecError(
        Code.MODEL_UNSUPPORTED,
        what,
        where=f"{path}, node '{node}'" if node else str(path),
        expected="tensors, and operators of the standard ONNX domain",
        hint="export the model without it, or split the model there",
    )


def too_large(path: Path, what: str, most: str) -> EdgecError:
    """Return the error for a file beyond a safety bound."""
    return EdgecError(Code.MODEL_TOO_LARGE, what, where=str(path), expected=f"at most {most}")
