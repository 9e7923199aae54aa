"""The operator tests of the ONNX standard as TFLite files in LiteRT, and what counts as in scope.

Models store weights, axes and shapes as constants; the standard's tests feed many of them. A case
is tried as it stands, and when that is refused once more with such parameters stored in the file.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from compressor.errors import Code, EdgecError
from compressor.source import read_source
from exporters import tflite
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from tests.conformance.nodes import Array, Case
from tests.tolerances import float32_operator

TIMEOUT_S = 30.0

# What mobile models use, by the families of `exporters/tflite/ops`. The functions that the standard
# itself writes out in these operators count as well.
LISTED = frozenset(
    word
    for line in (
        "Conv ConvTranspose MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool",
        "GlobalLpPool Gemm MatMul Add Sub Mul Div Neg Abs Reciprocal Sqrt Exp Log Pow Mod Max Min",
        "Sum Mean Relu PRelu LeakyRelu Elu Selu Celu HardSwish HardSigmoid Sigmoid Swish Tanh Gelu",
        "Softplus Softsign Mish Erf ThresholdedRelu Shrink Clip Softmax LogSoftmax ReduceMean",
        "ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp",
        "ReduceSumSquare ArgMax ArgMin TopK BatchNormalization LayerNormalization",
        "InstanceNormalization GroupNormalization RMSNormalization LRN LpNormalization",
        "MeanVarianceNormalization Attention RotaryEmbedding Einsum LSTM GRU RNN Resize Upsample",
        "DepthToSpace SpaceToDepth Concat Split Slice Pad Tile Expand Gather GatherND",
        "GatherElements Scatter ScatterElements ScatterND Where Equal Greater GreaterOrEqual Less",
        "LessOrEqual And Or Xor Not IsNaN IsInf BitwiseAnd BitwiseOr BitwiseXor BitwiseNot",
        "BitShift Cast CastLike CumSum OneHot Range Trilu NonMaxSuppression Ceil Floor Round Sign",
        "Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Shape Size Reshape Flatten Squeeze",
        "Unsqueeze Transpose Identity Dropout ConstantOfShape Constant EyeLike QuantizeLinear",
        "DequantizeLinear",
    )
    for word in line.split()
)

# The types of the tensors that TFLite's kernels take at an interface.
TYPES = frozenset({"float32", "int32", "int64", "int16", "int8", "uint8", "bool"})

# Inputs that a model has as constants: what decides shapes, and weights.
_PARAMETERS: Mapping[str, frozenset[int]] = {
    op: frozenset(indices)
    for operators, indices in {
        "Reshape Expand Tile Squeeze Unsqueeze TopK Trilu CumSum Split OneHot": (1,),
        "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum": (1,),
        "ReduceLogSumExp ReduceSumSquare BitShift PRelu": (1,),
        "ConstantOfShape": (0,),
        "Range": (0, 1, 2),
        "Slice Pad Clip": (1, 2, 3, 4),
        "Dropout QuantizeLinear DequantizeLinear RMSNormalization": (1, 2),
        "Resize Upsample Conv ConvTranspose": (1, 2, 3),
        "LSTM GRU RNN": (1, 2, 3, 4, 7),
        "BatchNormalization LayerNormalization": (1, 2, 3, 4),
        "InstanceNormalization GroupNormalization": (1, 2),
        "NonMaxSuppression": (2, 3, 4),
    }.items()
    for op in operators.split()
}


# Tests whose expected numbers are written down with four digits.
_STATED_DIGITS: Mapping[str, float] = {"averagepool_2d_ceil_last_window_starts_on_pad": 1e-4}


class Verdict(enum.Enum):
    """How a case ended."""

    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"
    CRASHED = "crashed"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a case.

    Attributes:
        verdict: how it ended.
        detail: the reason of a refusal, or what is wrong.
        bound: whether its parameters were stored in the file.
    """

    verdict: Verdict
    detail: str = ""
    bound: bool = False


def in_scope(case: Case) -> bool:
    """Whether the operators of *case* are listed, and its inputs and outputs have TFLite types."""
    arrays = (*case.feeds.values(), *case.outputs.values())
    return all(node.op_type in LISTED for node in _nodes(case.model.graph)) and all(
        array.dtype.name in TYPES for array in arrays
    )


def _nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    found = list(graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found += _nodes(attribute.g)
    return found


class Bench:
    """Tries cases in a child process that is started again when one of them ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worker = Worker(timeout_s=TIMEOUT_S)

    def close(self) -> None:
        """End the child."""
        self._worker.close()

    def try_case(self, case: Case) -> Outcome:
        """Return what becomes of *case*, as it stands or else with its parameters stored."""
        outcome = self._attempt(case, case.model, bound=False)
        parameters = parameters_of(case.model)
        if outcome.verdict is not Verdict.REFUSED or not parameters:
            return outcome
        return self._attempt(case, stored(case, parameters), bound=True)

    def _attempt(self, case: Case, model: onnx.ModelProto, *, bound: bool) -> Outcome:
        try:
            answers = self._answers(case, model)
        except EdgecError as error:
            verdict = {
                Code.MODEL_UNSUPPORTED: Verdict.REFUSED,
                Code.NO_LOWERING: Verdict.REFUSED,
            }.get(error.code, Verdict.CRASHED)
            if error.code is Code.RUNTIME_CRASHED:
                self._worker.close()
                self._worker = Worker(timeout_s=TIMEOUT_S)
            return Outcome(verdict=verdict, detail=f"{error.code.name}: {error.what}", bound=bound)
        problem = _problem(case, answers)
        verdict = Verdict.WRONG if problem else Verdict.RIGHT
        return Outcome(verdict=verdict, detail=problem, bound=bound)

    def _answers(self, case: Case, model: onnx.ModelProto) -> Mapping[str, Array]:
        path = self._folder / "case.onnx"
        path.write_bytes(model.SerializeToString())
        source = read_source(str(path))
        content = tflite.write(source.model, ExportOptions())
        written = self._folder / "case.tflite"
        written.write_bytes(content)
        session = self._worker.open("litert", written)
        names = {spec.name for spec in session.interface.inputs}
        answers = session.run({name: a for name, a in case.feeds.items() if name in names})
        session.close()
        return answers


def parameters_of(model: onnx.ModelProto) -> set[str]:
    """Return the inputs of *model* that are parameters wherever they are read."""
    inputs = {value.name for value in model.graph.input}
    as_parameter, as_data = set(), set()
    for node in model.graph.node:
        chosen = _PARAMETERS.get(node.op_type, frozenset())
        for index, name in enumerate(node.input):
            (as_parameter if index in chosen else as_data).add(name)
    return (as_parameter - as_data) & inputs


def stored(case: Case, names: set[str]) -> onnx.ModelProto:
    """Return the model of *case* with its inputs *names* as constants."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    kept = [value for value in model.graph.input if value.name not in names]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    for name in sorted(names):
        model.graph.initializer.append(onnx.numpy_helper.from_array(case.feeds[name], name))
    return model


def _problem(case: Case, answers: Mapping[str, Array]) -> str:
    """Return what differs from the expected outputs, empty when nothing does."""
    terms = max((array.size for array in case.feeds.values()), default=1)
    tolerance = _STATED_DIGITS.get(case.name, float32_operator(terms=terms))
    for name, expected in case.outputs.items():
        found = answers.get(name)
        if found is None or found.dtype != expected.dtype or found.shape != expected.shape:
            have = "nothing" if found is None else f"{found.dtype}{list(found.shape)}"
            return f"'{name}' is {have}, not {expected.dtype}{list(expected.shape)}"
        if not _agree(found, expected, tolerance):
            return f"'{name}' has other numbers: {_worst(found, expected)}"
    return ""


def _agree(found: Array, expected: Array, tolerance: float) -> bool:
    if expected.dtype.kind != "f":
        return np.array_equal(found, expected)
    finite = np.abs(expected[np.isfinite(expected)])
    if expected.dtype == np.float16:
        tolerance = max(tolerance, 2 * float(np.finfo(np.float16).eps))  # rounded to either side
    bound = tolerance * max(float(finite.max(initial=0)), 1.0)
    return np.allclose(found, expected, rtol=0, atol=bound, equal_nan=True)


def _worst(found: Array, expected: Array) -> str:
    with np.errstate(all="ignore"):
        apart = np.abs(found.astype(np.float64) - expected.astype(np.float64)).ravel()
    where = int(np.argmax(np.nan_to_num(apart, nan=np.inf)))
    return f"{found.ravel()[where]} for {expected.ravel()[where]}"
