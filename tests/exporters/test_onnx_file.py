"""Files of any size: one message up to the limit, two files beyond, the same model either way."""

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.ir.lazy import LARGE_BYTES, derived
from exporters._onnx_file import LARGEST_MESSAGE, save, to_bytes
from tests.graphs import gaussian, graph_of, run_onnx

NET = "net (float[N,64] x) => (float[N,8] y) { h = MatMul(x, w)  r = Relu(h)  y = MatMul(r, v) }"
SMALL_LIMIT = 1000


def net() -> ir.Model:
    return graph_of(NET, w=gaussian(64, 64), v=gaussian(64, 8, seed=1))


def constants_of(path: Path) -> dict[str, np.ndarray]:
    return {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


@pytest.mark.parametrize(("largest", "count"), [(LARGEST_MESSAGE, 1), (SMALL_LIMIT, 2)])
def test_every_constant_is_read_back(tmp_path: Path, largest: int, count: int) -> None:
    files = save(net(), tmp_path / "m.onnx", largest=largest)
    assert files == (tmp_path / "m.onnx", tmp_path / "m.onnx.data")[:count]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    onnx.checker.check_model(str(files[0]), full_check=True)
    found = constants_of(files[0])
    np.testing.assert_array_equal(found["w"], gaussian(64, 64))
    np.testing.assert_array_equal(found["v"], gaussian(64, 8, seed=1))


def test_one_file_holds_what_the_protobuf_library_would_write(tmp_path: Path) -> None:
    save(net(), tmp_path / "m.onnx")
    written, plain = onnx.load(tmp_path / "m.onnx"), ir.to_proto(net())
    for proto in (written, plain):
        constants = sorted(proto.graph.initializer, key=lambda tensor: str(tensor.name))
        del proto.graph.initializer[:]
        proto.graph.initializer.extend(constants)
    assert written == plain
    assert to_bytes(net()) == (tmp_path / "m.onnx").read_bytes()


def test_both_forms_compute_the_same(tmp_path: Path) -> None:
    import onnxruntime

    x = gaussian(3, 64, seed=2)
    want = run_onnx(to_bytes(net()), {"x": x})["y"]
    path, _ = save(net(), tmp_path / "m.onnx", largest=SMALL_LIMIT)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], want)


def test_a_constant_that_two_values_share_lies_in_the_file_once(tmp_path: Path) -> None:
    model = net()
    first = model.graph.initializers["w"]
    second = ir.Value(name="again", const_value=first.const_value, shape=first.shape)
    model.graph.register_initializer(second)
    path, beside = save(model, tmp_path / "m.onnx", largest=SMALL_LIMIT)
    assert beside.stat().st_size == gaussian(64, 64).nbytes + gaussian(64, 8).nbytes
    np.testing.assert_array_equal(constants_of(path)["again"], gaussian(64, 64))


def test_narrow_types_and_views_keep_their_bytes(tmp_path: Path) -> None:
    model = net()
    arrays = {
        "nibbles": np.arange(4096).reshape(64, 64).astype(ml_dtypes.int4),
        "brains": gaussian(64, 64).astype(ml_dtypes.bfloat16),
        "turned": gaussian(64, 32).T,
    }
    for name, array in arrays.items():
        tensor = ir.tensor(array, name=name)
        model.graph.register_initializer(ir.Value(name=name, const_value=tensor))
    for largest in (LARGEST_MESSAGE, SMALL_LIMIT):
        path, *_ = save(model.clone(), tmp_path / "m.onnx", largest=largest)
        found = constants_of(path)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)


def test_a_failure_leaves_neither_file(tmp_path: Path) -> None:
    def broken(_: np.ndarray) -> np.ndarray:
        raise MemoryError

    model = net()
    shape = (LARGE_BYTES // 4,)
    source = ir.tensor(np.zeros(shape, np.float32))
    lazy = derived(source, broken, dtype=ir.DataType.FLOAT, shape=shape)
    model.graph.register_initializer(ir.Value(name="lazy", const_value=lazy))
    for largest in (LARGEST_MESSAGE, SMALL_LIMIT):
        with pytest.raises(MemoryError):
            save(model.clone(), tmp_path / "m.onnx", largest=largest)
        assert list(tmp_path.iterdir()) == []
