"""The ways in which a TFLite file is refused."""

from __future__ import annotations

from compressor.errors import Code, EdgecError
from compressor.ingest.tflite.contents import Operator


def unreadable(why: str) -> EdgecError:
    """Return the error for a file that breaks the format."""
    return EdgecError(
        Code.MODEL_UNREADABLE,
        f"this is not a readable TFLite model: {why}",
        expected="a .tflite file as its converter wrote it",
        hint="copy or convert it again",
    )


def too_large(what: str, limit: str) -> EdgecError:
    """Return the error for a file that exceeds a safety bound."""
    return EdgecError(Code.MODEL_TOO_LARGE, what, expected=f"at most {limit}")


def unsupported(operator: Operator, why: str) -> EdgecError:
    """Return the error for an *operator* that has no ONNX form here."""
    return _unsupported(operator.name, operator.index, operator.outputs[0].name, why)


def foreign(tensor: str, why: str) -> EdgecError:
    """Return the error for a *tensor* of a kind that edgec has no form for."""
    return EdgecError(
        Code.MODEL_UNSUPPORTED,
        f"tensor '{tensor}' {why}, which edgec does not read",
        expected="dense tensors of numbers, with one scale or one for each channel",
        hint="convert the model without it, or start from its ONNX or PyTorch form",
    )


def unknown(name: str, index: int, tensor: str) -> EdgecError:
    """Return the error for an operator that no family reads."""
    return _unsupported(name, index, tensor, "it is not one that edgec reads")


def _unsupported(name: str, index: int, tensor: str, why: str) -> EdgecError:
    return EdgecError(
        Code.MODEL_UNSUPPORTED,
        f"operator {name} cannot be read: {why}",
        where=f"operator {index}, tensor '{tensor}'",
        expected="operators and forms that have an ONNX meaning",
        hint="convert the model without it, or start from its ONNX or PyTorch form",
    )
