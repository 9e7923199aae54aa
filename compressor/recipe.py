"""What to do with a model: frozen settings, the same from the command line and from Python."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError

Choice = TypeVar("Choice", bound=Enum)

RANGE_METHODS = Catalog("compressor.quantizers", shared=("affine",))
EXPORTERS = Catalog("exporters", shared=("protocol",))


class Scheme(Enum):
    """How numbers are stored and computed."""

    NONE = "none"
    INT8 = "int8"
    FP16 = "fp16"


class LedgerDetail(Enum):
    """How much the ledger records of each pass: cost only, or accuracy as well."""

    COST = "cost"
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one compilation.

    Attributes:
        quantize: the scheme.
        to: formats to write; names of the exporters.
        range_method: how observed activations become a range; a file in ``compressor/quantizers``.
        round_weights: round weights by their effect on the output instead of to the nearest.
        keep_float: names of nodes that stay float under INT8.
        calib_samples: most samples to calibrate on.
        eval_samples: most samples to judge by.
        onnx_activations: 8-bit activation type of ONNX files: ``uint8`` for x86, ``int8`` for Arm.
        latency_seconds: time to spend on measuring, for each runtime; 0 leaves latency out.
        ledger: what to record of each pass.
    """

    quantize: Scheme = Scheme.INT8
    to: tuple[str, ...] = ("onnx", "tflite")
    range_method: str = "mse"
    round_weights: bool = True
    keep_float: tuple[str, ...] = ()
    calib_samples: int = 200
    eval_samples: int = 10_000
    onnx_activations: str = "uint8"
    latency_seconds: float = 2.0
    ledger: LedgerDetail = LedgerDetail.COST

    def __post_init__(self) -> None:
        _one_of("to", self.to, list(EXPORTERS))
        _one_of("range-method", (self.range_method,), list(RANGE_METHODS))
        _one_of("onnx-activations", (self.onnx_activations,), ["uint8", "int8"])
        if not self.to:
            raise _invalid("to", "names no format", "onnx, tflite, or both")
        for name in ("calib_samples", "eval_samples"):
            if getattr(self, name) < 1:
                raise _invalid(name.replace("_", "-"), "is below 1", "a positive number")
        if self.latency_seconds < 0:
            raise _invalid("latency-seconds", "is negative", "seconds, or 0 to leave latency out")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON-ready mapping."""
        values = dataclasses.asdict(self)
        plain = {k: v.value if isinstance(v, Enum) else v for k, v in values.items()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def parse_choice(kind: type[Choice], option: str, text: str) -> Choice:
    """Return the member of *kind* whose value is *text*; ``RECIPE_INVALID`` names the nearest."""
    values = {str(member.value): member for member in kind}
    _one_of(option, (text,), list(values))
    return values[text]


def _one_of(option: str, values: tuple[str, ...], known: list[str]) -> None:
    for value in values:
        if value not in known:
            raise _invalid(option, f"is '{value}'", nearest(value, known))


def _invalid(option: str, what: str, expected: str) -> EdgecError:
    return EdgecError(
        Code.RECIPE_INVALID, f"{option} {what}", where=f"--{option}", expected=expected
    )
