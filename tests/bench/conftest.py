"""Tiny models with known outputs and very different times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest

from runtimes.isolate import Worker


@pytest.fixture
def make_onnx(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return the function that writes an ONNX model given as name and text."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.onnx"
        onnx.save(onnx.parser.parse_model(text), path)
        return path

    return make


@pytest.fixture
def products(make_onnx: Callable[[str, str], Path]) -> Callable[[int], Path]:
    """Return the function that writes a model of so many matrix products, 64 by 64."""

    def make(count: int) -> Path:
        steps = "\n".join(f"v{n + 1} = MatMul(v{n}, v{n})" for n in range(count))
        return make_onnx(
            f"products{count}",
            f"""<ir_version: 10, opset_import: ["" : 21]>
            g (float[64, 64] v0) => (float[64, 64] v{count}) {{ {steps} }}""",
        )

    return make


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(timeout_s=60) as worker:
        yield worker
