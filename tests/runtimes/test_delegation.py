"""How LiteRT splits models between XNNPACK and its own kernels."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters import tflite
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from runtimes.litert import open_session
from runtimes.protocol import Delegation, SessionOptions
from tests.graphs import graph_of
from tests.quantized import GRAPHS, quantized

Make = Callable[..., Path]
WHOLE = Delegation(delegate="XNNPACK", partitions=1)


def split_of(content: bytes, folder: Path, *, optimize: bool = True) -> Delegation | None:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return open_session(path, SessionOptions(optimize=optimize)).delegation


@pytest.mark.parametrize("name", ["residual", "concat"])
def test_integer_networks_are_one_partition(name: str, tmp_path: Path) -> None:
    model = GRAPHS[name]()
    quantized(model)
    assert split_of(tflite.write(model, ExportOptions()), tmp_path) == WHOLE


def test_what_the_delegate_leaves_is_named(tmp_path: Path) -> None:
    model = GRAPHS["squeeze_excite"]()
    quantized(model)
    found = split_of(tflite.write(model, ExportOptions()), tmp_path)
    assert found == Delegation(delegate="XNNPACK", partitions=2, outside=("HARD_SWISH",))


def test_no_delegate_no_split(tmp_path: Path) -> None:
    text = "g (float[1,6] x) => (float[1,6] y) { y = Relu(x) }"
    assert split_of(tflite.write(graph_of(text), ExportOptions()), tmp_path, optimize=False) is None


def test_a_worker_tells_it(twice_tflite: Make, twice_onnx: Make) -> None:
    with Worker() as worker:
        assert worker.open("litert", twice_tflite((1, 3))).delegation == WHOLE
        assert worker.open("ort", twice_onnx((1, 3))).delegation is None
