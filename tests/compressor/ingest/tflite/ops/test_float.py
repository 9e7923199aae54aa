"""Every operator, float: the imported graph computes what LiteRT computes from the file."""

import numpy as np
import pytest

from compressor.ingest.tflite.importer import import_bytes
from compressor.ingest.tflite.ops.tables import readers
from compressor.ir.interface import interface_of
from tests.compressor.ingest.tflite.cases import CASES, POSITIVE
from tests.compressor.ingest.tflite.litert import LiteRt, in_onnx_runtime, random_feeds
from tests.exporters.tflite.harness import operators
from tests.tolerances import float32_operator

_TERMS = 200


@pytest.mark.parametrize("name", [*CASES, *POSITIVE])
def test_it_computes_the_same(name: str, litert: LiteRt) -> None:
    data = (CASES | POSITIVE)[name]()
    model = import_bytes(data)
    feeds = random_feeds(interface_of(model), positive=name in POSITIVE)
    want, have = litert.run(data, feeds), in_onnx_runtime(model, feeds)
    assert list(have) == list(want)
    for output, expected in want.items():
        assert (have[output].shape, have[output].dtype) == (expected.shape, expected.dtype)
        scale = max(float(np.abs(expected).max(initial=0)), 1.0) if expected.dtype != bool else 0
        tolerance = float32_operator(terms=_TERMS) * scale
        difference = have[output].astype(np.float64) - expected.astype(np.float64)
        assert np.abs(difference).max(initial=0) <= tolerance


def test_every_operator_has_a_case() -> None:
    covered = {op for make in (CASES | POSITIVE).values() for op in operators(make())}
    assert set(readers()) == covered
