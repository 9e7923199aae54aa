"""Large constants stay in the file; what is left is the same model."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from compressor.ingest.onnx import slimming
from compressor.ingest.onnx.slimming import slim
from compressor.source import read_source
from tests.compressor.ingest.onnx.mutations import mutated, seeds
from tests.graphs import gaussian

NET = """<ir_version: 10, opset_import: ["" : 21]>
net (float[N,64] x) => (float[N,8] y) { h = MatMul(x, w)  b = Add(h, c)  y = MatMul(b, v) }"""
LEAST = 1024


def model() -> onnx.ModelProto:
    proto = onnx.parser.parse_model(NET)
    arrays = {"w": gaussian(64, 64), "c": gaussian(64), "v": gaussian(64, 8, seed=1)}
    for name, array in arrays.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return proto


def written(folder: Path, proto: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_references_lead_to_the_constants(tmp_path: Path) -> None:
    path = written(tmp_path, model())
    content = slim(path, least=LEAST)
    assert content is not None
    assert len(content) < 1500  # two constants of 16 and 2 KB have gone
    proto = onnx.load_from_string(content)
    places = {tensor.name: tensor.data_location for tensor in proto.graph.initializer}
    external = onnx.TensorProto.EXTERNAL
    assert places == {"w": external, "c": onnx.TensorProto.DEFAULT, "v": external}
    onnx.external_data_helper.load_external_data_for_model(proto, str(tmp_path))
    for tensor in proto.graph.initializer:
        del tensor.external_data[:]
        tensor.ClearField("data_location")
    assert proto == model()


def test_model_is_read_the_same_and_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, model())
    plain = read_source(str(path))
    monkeypatch.setattr(slimming, "LARGE_FILE", 0)
    monkeypatch.setattr(slimming, "slim", lambda path: slim(path, least=LEAST))
    mapped = read_source(str(path))
    assert mapped.fingerprint == plain.fingerprint
    assert mapped.files == plain.files == (path,)


@pytest.mark.parametrize(
    "edit",
    [
        lambda tensor: tensor.dims.append(2),
        lambda tensor: tensor.ClearField("data_type"),
        lambda tensor: tensor.external_data.add(key="location", value="elsewhere"),
    ],
    ids=["shape", "type", "external"],
)
def test_constants_that_are_not_plain_stay_inside(tmp_path: Path, edit: object) -> None:
    proto = model()
    for tensor in proto.graph.initializer:
        edit(tensor)  # type: ignore[operator]
    assert slim(written(tmp_path, proto), least=LEAST) is None


def test_small_models_stay_as_they_are(tmp_path: Path) -> None:
    assert slim(written(tmp_path, model())) is None


def test_damaged_files_are_left_to_the_parser(tmp_path: Path) -> None:
    files, path = [model().SerializeToString(), *seeds()], tmp_path / "m.onnx"
    for seed in range(300):
        path.write_bytes(mutated(files, seed) or b"\0")
        content = slim(path, least=16)
        assert content is None or len(content) > 0
    for length in range(1, len(files[0]), 997):
        path.write_bytes(files[0][:length])
        slim(path, least=16)


def test_values_survive_a_second_graph_field(tmp_path: Path) -> None:
    """Protobuf merges a message that is written in two parts."""
    proto, constants = model(), onnx.ModelProto()
    constants.graph.initializer.extend(proto.graph.initializer)
    del proto.graph.initializer[:]
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString() + constants.SerializeToString())
    content = slim(path, least=LEAST)
    assert content is not None
    found = onnx.load_from_string(content)
    onnx.external_data_helper.load_external_data_for_model(found, str(tmp_path))
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in found.graph.initializer}
    np.testing.assert_array_equal(arrays["w"], gaussian(64, 64))
    np.testing.assert_array_equal(arrays["v"], gaussian(64, 8, seed=1))
