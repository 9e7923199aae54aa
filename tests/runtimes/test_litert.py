from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from runtimes.litert import LiteRtSession, open_session
from runtimes.protocol import SessionOptions

Make = Callable[..., Path]
X = np.float32([[1, -2, 3]])


def _names(path: Path) -> tuple[str, str]:
    interface = open_session(path, SessionOptions()).interface
    return interface.inputs[0].name, interface.outputs[0].name


def test_names_come_from_the_signature(twice_tflite: Make) -> None:
    path = twice_tflite(signature="serving_default")
    assert _names(path) == ("image", "scores")
    assert np.array_equal(open_session(path, SessionOptions()).run({"image": X})["scores"], 2 * X)


def test_names_come_from_any_only_signature(twice_tflite: Make) -> None:
    assert _names(twice_tflite(signature="classify")) == ("image", "scores")


def test_without_signature_names_are_the_tensors(twice_tflite: Make) -> None:
    assert _names(twice_tflite(names=("input_1:0", "dense/Softmax:0"))) == (
        "input_1",
        "dense/Softmax",
    )


def test_fixed_batch_is_stated_and_kept(twice_tflite: Make) -> None:
    session = open_session(twice_tflite((1, 3)), SessionOptions())
    assert session.interface.inputs[0].shape == (1, 3)
    with pytest.raises(EdgecError) as caught:
        session.run({"x": np.repeat(X, 2, axis=0)})
    assert caught.value.code is Code.RUNTIME_REFUSED


@pytest.mark.parametrize("optimize", [True, False])
def test_only_optimized_sessions_use_a_delegate(twice_tflite: Make, optimize: bool) -> None:
    session = open_session(twice_tflite((1, 3)), SessionOptions(optimize=optimize))
    assert isinstance(session, LiteRtSession)
    ops = [op["op_name"] for op in session._interpreter._get_ops_details()]
    assert ("DELEGATE" in ops) is optimize
