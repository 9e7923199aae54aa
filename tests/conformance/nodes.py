"""The operator tests that come with the onnx package, and how a runtime's answers are judged."""

import functools
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx.backend.test.loader import load_model_tests

from compressor.errors import EdgecError
from compressor.source import read_source
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import run_onnx

Array = npt.NDArray[Any]

# What edgec refuses of what ONNX Runtime can run, and why.
REFUSED: Mapping[str, str] = {
    r"bitcast_.*": "no older operator reads the bits of a number as another type",
    r"cumprod_.*": "the axis is an input, which a scan must know before it runs",
    r"tensorscatter.*": "no older operator writes into a cache at positions",
    r"not_[234]d": "opset 1",
    r"scan_sum": "the batch axis of opset 8",
    r"upsample_nearest": "scales as an input, where rounding depends on them",
}


@dataclass(frozen=True)
class Case:
    """One test of the standard: a model, what is fed and what must come out."""

    name: str
    model: onnx.ModelProto
    feeds: Mapping[str, Array]
    outputs: Mapping[str, Array]
    rtol: float
    atol: float


@functools.cache
def cases() -> dict[str, Case]:
    """Return the operator tests whose inputs and outputs are arrays, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the expected values overflow on purpose
        loaded = load_model_tests(kind="node")
    found = {}
    for test in loaded:
        inputs, outputs = (
            {value.name: array for value, array in zip(values, arrays, strict=False)}
            for values, arrays in zip(
                (test.model.graph.input, test.model.graph.output), test.data_sets[0], strict=True
            )
        )
        if all(
            isinstance(a, np.ndarray | np.generic) for a in (*inputs.values(), *outputs.values())
        ):
            name = test.name.removeprefix("test_")
            feeds = {key: np.asarray(array) for key, array in inputs.items()}
            results = {key: np.asarray(array) for key, array in outputs.items()}
            found[name] = Case(name, test.model, feeds, results, test.rtol, test.atol)
    return found


def refusal_expected(name: str) -> bool:
    """Whether *name* is among the tests that edgec is known to refuse."""
    return any(re.fullmatch(pattern, name) for pattern in REFUSED)


def runtime_passes(case: Case) -> bool:
    """Whether ONNX Runtime answers *case* rightly without edgec."""
    try:
        answers = run_onnx(case.model.SerializeToString(), case.feeds)
    except Exception:  # noqa: BLE001 - the runtime has exceptions of many unrelated types
        return False
    return not differences(case, answers)


def compiled(case: Case, folder: Path) -> dict[str, Array] | EdgecError:
    """Return what ONNX Runtime computes from *case*, read and written by edgec; or the refusal."""
    path = folder / "case.onnx"
    path.write_bytes(case.model.SerializeToString())
    try:
        source = read_source(str(path))
        content = exporter.write(source.model, ExportOptions())
    except EdgecError as error:
        return error
    names = {spec.name for spec in source.interface.inputs}
    return run_onnx(content, {name: a for name, a in case.feeds.items() if name in names})


def differences(case: Case, answers: Mapping[str, Array]) -> list[str]:
    """Return the outputs that are not what *case* expects, at its own tolerance."""
    return [
        name
        for name, expected in case.outputs.items()
        if not _same(answers[name], expected, case.rtol, case.atol)
    ]


def _same(have: Array, want: Array, rtol: float, atol: float) -> bool:
    if have.shape != want.shape:
        return False
    if want.dtype.kind in "OU":
        return bool((have.astype(str) == want.astype(str)).all())
    if have.dtype != want.dtype:
        return False
    if want.dtype.kind in "fc":
        return np.allclose(have, want, rtol=rtol, atol=atol, equal_nan=True)
    return np.array_equal(have, want)
