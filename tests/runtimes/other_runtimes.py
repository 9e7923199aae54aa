"""Float and INT8 files for runtimes that are not part of the installation, and their judgement."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session, runtime
from tests.graphs import feeds_for
from tests.quantized import GRAPHS, quantized
from tests.tolerances import float32_network


def require(target: str) -> None:
    """Skip the test where *target* is not installed."""
    if reason := runtime(target).available():
        pytest.skip(reason)


def assert_float_model(target: str, path: Path) -> None:
    """Assert that *target* answers as ONNX Runtime does, at any batch."""
    ours, theirs = (open_session(t, path, SessionOptions()) for t in (target, "ort"))
    for batch in (1, 3):
        (x,) = theirs.interface.inputs
        feeds = {x.name: np.random.default_rng(batch).random(x.concrete(batch)).astype(np.float32)}
        have, want = ours.run(feeds), theirs.run(feeds)
        assert list(have) == list(want)
        for name, expected in want.items():
            bound = float32_network(layers=100, terms=1000) * np.abs(expected).max()
            assert have[name].shape == expected.shape
            assert np.abs(have[name] - expected).max() <= bound


def int8_model(folder: Path) -> tuple[ir.Model, Path]:
    """Return a small quantized graph, and a file of it with Q/DQ pairs."""
    model = GRAPHS["residual"]()
    quantized(model)
    path = folder / "int8.onnx"
    path.write_bytes(exporter.write(model, ExportOptions()))
    return model, path


def assert_int8_model(target: str, folder: Path) -> None:
    """Assert that *target* computes a file with Q/DQ pairs to some steps of its output's range."""
    model, path = int8_model(folder)
    feeds = feeds_for(model, batch=1)
    have, want = (
        open_session(t, path, SessionOptions(optimize=t != "ort")).run(feeds)["y"]
        for t in (target, "ort")
    )
    step = np.ptp(want) / 255
    assert np.abs(have - want).mean() <= 2 * step
