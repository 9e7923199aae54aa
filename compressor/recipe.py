"""What to do with a model: frozen settings, the same from the command line, a file and Python."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from compressor.catalog import Catalog
from compressor.ir.sparsity import Sparsity
from compressor.points import Points
from compressor.pruning.budget import Allocation, Budget
from compressor.settings import invalid, one_of, plain, setting, settings_of

RANGE_METHODS = Catalog("compressor.quantizers", shared=("affine",))
IMPORTANCE = Catalog("compressor.pruning.importance")
EXPORTERS = Catalog("exporters", shared=("protocol",))


class Scheme(Enum):
    """How numbers are stored and computed."""

    NONE = "none"
    INT8 = "int8"
    INT8_DYNAMIC = "int8-dynamic"
    INT8_WEIGHTS = "int8-weights"
    FP16 = "fp16"


class IoLayout(Enum):
    """Order of the axes of images at the interface of artifacts."""

    KEEP = "keep"
    NHWC = "nhwc"


class Batch(Enum):
    """Samples that TFLite files take at once; ONNX keeps what the source has."""

    ONE = "one"
    ANY = "any"


class IoType(Enum):
    """Type of real numbers at the interface of artifacts."""

    KEEP = "keep"
    FLOAT32 = "float32"
    INT8 = "int8"
    UINT8 = "uint8"


COMPUTING = frozenset({Scheme.INT8, Scheme.INT8_DYNAMIC})  # schemes that compute in integers


class LedgerDetail(Enum):
    """How much the ledger records of each pass: cost only, or accuracy as well."""

    COST = "cost"
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one compilation.

    Each is an option of ``edgec compile`` and a key of a recipe file: its ``setting`` says which.
    """

    quantize: Scheme = setting(
        Scheme.INT8,
        key="quantize.scheme",
        help="int8, int8-dynamic, int8-weights, fp16 or none: how numbers are stored.",
    )
    to: tuple[str, ...] = setting(
        ("onnx", "tflite"), key="export.to", help="Formats to write, such as onnx,tflite."
    )
    range_method: str = setting(
        "mse",
        key="quantize.range_method",
        help="How observed activations become a range: minmax, percentile or mse.",
    )
    round_weights: bool = setting(
        True,
        key="quantize.round_weights",
        help="Round weights by their effect on the output instead of to the nearest.",
    )
    require_faster: bool = setting(
        True,
        key="quantize.require_faster",
        help="Send back to float what INT8 does not make faster here.",
    )
    max_drop: Points | None = setting(
        None,
        key="quantize.max_drop",
        help="Most that may be lost, such as '0.5 pt': keeps the worst layers in float.",
    )
    max_drop_seconds: float = setting(
        60.0, key="quantize.max_drop_seconds", help="Time to spend on --max-drop."
    )
    keep_float: tuple[str, ...] = setting(
        (), key="quantize.keep_float", help="Node that stays float under INT8; may be repeated."
    )
    calib_samples: int = setting(
        200, key="quantize.calib_samples", help="Most samples to calibrate on."
    )
    eval_samples: int = setting(
        10_000, key="measure.eval_samples", help="Most samples to judge by."
    )
    onnx_activations: str = setting(
        "uint8",
        key="export.onnx_activations",
        help="8-bit type in ONNX files: uint8 is the faster on x86, int8 on Arm.",
    )
    io_layout: IoLayout = setting(
        IoLayout.KEEP,
        key="export.io_layout",
        help="keep the source's order of axes, or make image inputs and outputs nhwc.",
    )
    batch: Batch = setting(
        Batch.ONE,
        key="export.batch",
        help="one or any: samples that TFLite files take at once, after a resize of the inputs.",
    )
    io_type: IoType = setting(
        IoType.KEEP,
        key="export.io_type",
        help="keep the source's types, or float32, int8 or uint8 for real inputs and outputs.",
    )
    prune: Budget | None = setting(
        None,
        key="prune.budget",
        help="What may be left: macs=50%, params=40%, size=2MB or latency=60%.",
    )
    prune_plan: str = setting(
        "", key="prune.plan", help="Apply a prune_plan.json of this model instead of a budget."
    )
    prune_importance: str = setting(
        "obs",
        key="prune.importance",
        help="What matters least goes first, by l1, l2, activation or obs; l2 without --data.",
    )
    prune_allocation: Allocation = setting(
        Allocation.SENSITIVITY,
        key="prune.allocation",
        help="How a budget is divided: sensitivity, global or uniform.",
    )
    prune_align: int = setting(
        4,
        key="prune.align",
        help="Widths that stay are multiples of this.",
    )
    sparsity: Sparsity | None = setting(
        None,
        key="prune.sparsity",
        help="Zeros among the weights, such as 90% or 2:4: a smaller download, no more speed.",
    )
    prune_samples: int = setting(2000, key="prune.samples", help="Most samples to prune by.")
    latency_seconds: float = setting(
        2.0,
        key="measure.latency_seconds",
        help="Time to measure latency for, each runtime; 0 for none.",
    )
    ledger: LedgerDetail = setting(
        LedgerDetail.COST, key="measure.ledger", help="cost, or full for accuracy after each pass."
    )

    def __post_init__(self) -> None:
        one_of(self.to, list(EXPORTERS), "--to")
        one_of((self.range_method,), list(RANGE_METHODS), "--range-method")
        one_of((self.onnx_activations,), ["uint8", "int8"], "--onnx-activations")
        if not self.to:
            raise invalid("no format is named", "--to", "some of onnx, tflite, ort")
        one_of((self.prune_importance,), list(IMPORTANCE), "--prune-importance")
        if self.prune is not None and self.prune_plan:
            raise invalid("a budget and a plan are both given", "--prune-plan", "one of them")
        for name in ("calib_samples", "eval_samples", "prune_align", "prune_samples"):
            if (value := getattr(self, name)) < 1:
                raise invalid(
                    f"{value} is below 1", f"--{name.replace('_', '-')}", "a positive number"
                )
        if not self.latency_seconds >= 0:
            raise invalid(
                f"{self.latency_seconds} is negative",
                "--latency-seconds",
                "seconds, or 0 to leave latency out",
            )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON-ready mapping."""
        return {known.name: plain(getattr(self, known.name)) for known in settings_of(Recipe)}

    def making(self) -> dict[str, Any]:
        """Return the settings that decide what artifacts are, not how they are measured."""
        return {k: v for k, v in self.to_json().items() if k not in MEASURING}


MEASURING = frozenset(k.name for k in settings_of(Recipe) if k.key.startswith("measure."))
"""Settings that are about measuring only."""
