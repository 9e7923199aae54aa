from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from compressor.ir.interface import Interface, TensorSpec
from runtimes._wire import interface_from_json, receive, send

DTYPES = st.sampled_from(["?", "i1", "u1", "<i4", "<i8", "<f2", "<f4", "<f8", ">f4"])
ARRAYS = DTYPES.flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
)


def _message(header: dict[str, object], content: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    send(stream, header, content)
    return stream.getvalue()


@given(st.dictionaries(st.text(), ARRAYS, max_size=3), st.text())
def test_arrives_as_sent(content: dict[str, np.ndarray], text: str) -> None:
    stream = io.BytesIO(_message({"do": text}, content))
    received = receive(stream)
    assert received is not None
    header, back = received
    assert header == {"do": text}
    assert list(back) == list(content)
    for name, array in content.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
    assert receive(stream) is None


def test_sends_views_in_their_own_order() -> None:
    view = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::2]
    received = receive(io.BytesIO(_message({}, {"v": view})))
    assert received is not None
    assert np.array_equal(received[1]["v"], view)


def test_received_arrays_can_be_written() -> None:
    received = receive(io.BytesIO(_message({}, {"v": np.zeros(3)})))
    assert received is not None
    received[1]["v"][0] = 1


def test_any_cut_is_noticed() -> None:
    whole = _message({"do": "run"}, {"x": np.arange(5)})
    for size in range(1, len(whole)):
        with pytest.raises(EOFError):
            receive(io.BytesIO(whole[:size]))


def test_interface_survives_json() -> None:
    x = TensorSpec(name="x", dtype="int8", shape=("batch", 3))
    y = TensorSpec(name="y", dtype="float32", shape=(1,))
    interface = Interface(inputs=(x,), outputs=(y, x))
    assert interface_from_json(interface.to_json()) == interface
