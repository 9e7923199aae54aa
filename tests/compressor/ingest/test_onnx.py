from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest import onnx as importer
from compressor.ingest.options import IngestOptions
from compressor.ir.interface import interface_of
from compressor.source import read_source
from tests.graphs import gaussian

NAMED = {
    "empty": b"",
    "text": b"this is not a model",
    "random": np.random.default_rng(0).bytes(4096),
    "zeros": bytes(4096),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "zip": b"PK\x03\x04" + bytes(100),
    "pickle": b"\x80\x04\x95" + bytes(100),
}


def proto_of(text: str, *, opset: int = 21, **constants: np.ndarray) -> onnx.ModelProto:
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : {opset}]> {text}')
    for name, array in constants.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return proto


def plain() -> onnx.ModelProto:
    return proto_of("g (float[N,4] x) => (float[N,4] y) { y = MatMul(x, w) }", w=gaussian(4, 4))


def saved(folder: Path, proto: onnx.ModelProto | bytes, name: str = "m.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
    return path


def refusal(path: Path, options: IngestOptions | None = None) -> EdgecError:
    """Return the error with which the whole way from file to canonical graph ends."""
    with pytest.raises(EdgecError) as caught:
        read_source(str(path), options)
    error = caught.value
    assert error.where
    assert error.hint or error.expected
    return error


def test_model_is_loaded_unchanged(tmp_path: Path) -> None:
    model = importer.load(saved(tmp_path, plain()), IngestOptions())
    assert [node.op_type for node in model.graph] == ["MatMul"]
    assert [str(spec) for spec in interface_of(model).inputs] == ["x: float32[N, 4]"]


def test_accepts_by_name() -> None:
    assert importer.accepts(Path("a/m.onnx"))
    assert not importer.accepts(Path("m.tflite"))


@pytest.mark.parametrize("name", NAMED)
def test_other_content(tmp_path: Path, name: str) -> None:
    assert refusal(saved(tmp_path, NAMED[name])).code is Code.MODEL_UNREADABLE


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated(tmp_path: Path, share: float) -> None:
    content = plain().SerializeToString()
    path = saved(tmp_path, content[: int(len(content) * share)])
    assert refusal(path).code is Code.MODEL_UNREADABLE


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_never_raise_anything_else(tmp_path: Path, seed: int) -> None:
    """A few random bytes changed: the model is read, or refused with a code of the user's."""
    random = np.random.default_rng(seed)
    content = bytearray(plain().SerializeToString())
    for position in random.choice(len(content), 3, replace=False):
        content[position] = random.integers(256)
    path = saved(tmp_path, bytes(content))
    try:
        read_source(str(path))
    except EdgecError as error:
        assert 200 <= int(error.code.ident[2:]) < 300, error  # noqa: PT017 - both ends are right


def test_folder_called_like_a_model(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").mkdir()
    assert refusal(tmp_path / "m.onnx").code is Code.MODEL_UNREADABLE


def test_no_graph(tmp_path: Path) -> None:
    proto = plain()
    proto.ClearField("graph")
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_UNREADABLE


def test_no_opset(tmp_path: Path) -> None:
    proto = plain()
    del proto.opset_import[:]
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_UNREADABLE


@pytest.mark.parametrize("opset", [1, importer.OLDEST_OPSET - 1, importer.NEWEST_OPSET + 1, 99])
def test_opset_outside_the_supported_ones(tmp_path: Path, opset: int) -> None:
    proto = plain()
    proto.opset_import[0].version = opset
    error = refusal(saved(tmp_path, proto))
    assert error.code is Code.MODEL_UNSUPPORTED
    assert str(opset) in error.what


@pytest.mark.parametrize("domain", ["", "ai.onnx"])
def test_both_names_of_the_default_domain(tmp_path: Path, domain: str) -> None:
    """Opset 12 Squeeze has its axes as attribute; missing the version would misread it."""
    proto = proto_of("g (float[2,1] x) => (float[2] y) { y = Squeeze<axes=[1]>(x) }", opset=12)
    proto.opset_import[0].domain = domain
    proto.graph.node[0].domain = domain
    source = read_source(str(saved(tmp_path, proto)))
    assert [node.op_type for node in source.model.graph] == ["Reshape"]
    assert list(source.model.opset_imports) == [""]


IN_FUNCTION = """<ir_version: 8, opset_import: ["" : 21, "local" : 1]>
g (float[2] x) => (float[2] y) {{ y = local.f(x) }}
<domain: "local", opset_import: ["" : 21, "custom" : 1, "local" : 1]>
f (x) => (y) {{ {0} }}
"""


def test_custom_operator(tmp_path: Path) -> None:
    proto = proto_of("g (float[2] x) => (float[2] y) { y = custom.Magic(x) }")
    proto.opset_import.add(domain="custom", version=1)
    error = refusal(saved(tmp_path, proto))
    assert error.code is Code.MODEL_UNSUPPORTED
    assert "custom::Magic" in error.what


def test_unknown_operator_of_the_standard_domain(tmp_path: Path) -> None:
    proto = proto_of("g (float[2] x) => (float[2] y) { y = Magic(x) }")
    error = refusal(saved(tmp_path, proto))
    assert error.code is Code.MODEL_UNSUPPORTED
    assert "Magic" in error.what


@pytest.mark.parametrize(
    "body",
    [
        "y = custom.Magic(x)",
        "y = Magic(x)",
    ],
)
def test_functions_are_looked_into(tmp_path: Path, body: str) -> None:
    proto = onnx.parser.parse_model(IN_FUNCTION.format(body))
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_UNSUPPORTED


def test_function_that_calls_itself(tmp_path: Path) -> None:
    proto = onnx.parser.parse_model(IN_FUNCTION.format("y = local.f(x)"))
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_UNREADABLE


def test_functions_that_multiply(tmp_path: Path) -> None:
    """Forty functions that each call the next one twice: a few kilobytes, 2**40 nodes."""
    head = '<ir_version: 8, opset_import: ["" : 21, "local" : 1]>'
    parts = [head + "g (float[2] x) => (float[2] y) { y = local.f0(x) }"]
    for index in range(40):
        body = (
            f"a = local.f{index + 1}(x) y = local.f{index + 1}(a)" if index < 39 else "y = Neg(x)"
        )
        parts.append(
            '<domain: "local", opset_import: ["" : 21, "local" : 1]>'
            f"f{index} (x) => (y) {{ {body} }}"
        )
    proto = onnx.parser.parse_model("\n".join(parts))
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_TOO_LARGE


def test_many_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "MAX_NODES", 3)
    body = " ".join(f"a{i + 1} = Neg(a{i})" for i in range(4))
    proto = proto_of(f"g (float[2] a0) => (float[2] a4) {{ {body} }}")
    error = refusal(saved(tmp_path, proto))
    assert error.code is Code.MODEL_TOO_LARGE
    assert "4 nodes" in error.what


def test_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "MAX_PROTO_BYTES", 100)
    assert refusal(saved(tmp_path, plain())).code is Code.MODEL_TOO_LARGE


def unsorted(proto: onnx.ModelProto) -> None:
    nodes = list(proto.graph.node)[::-1]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def cyclic(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].input[0] = "y"


def reading_nothing(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].input[0] = "nowhere"


def writing_nothing(proto: onnx.ModelProto) -> None:
    proto.graph.output[0].name = "nowhere"


def named_twice(proto: onnx.ModelProto) -> None:
    proto.graph.node[1].output[0] = "a"


def input_twice(proto: onnx.ModelProto) -> None:
    proto.graph.input.add().CopyFrom(proto.graph.input[0])


def no_operands(proto: onnx.ModelProto) -> None:
    del proto.graph.node[0].input[:]


def too_many_operands(proto: onnx.ModelProto) -> None:
    proto.graph.node[1].input.extend(["a", "a"])


def short_weight(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].raw_data = b"1234"


def long_weight(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].raw_data += b"1234"


def negative_weight(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].dims[0] = -4


def gigantic_weight(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].dims[0] = 1 << 50


def weight_of_no_type(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].data_type = 0


def weight_of_unknown_type(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].data_type = 77


def input_of_unknown_type(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.elem_type = 77


def shape_that_cannot_be(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5


def output_shape_that_cannot_be(proto: onnx.ModelProto) -> None:
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5


def output_rank_that_cannot_be(proto: onnx.ModelProto) -> None:
    proto.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 5


def attribute_of_another_type(proto: onnx.ModelProto) -> None:
    proto.graph.node[1].attribute.append(onnx.helper.make_attribute("alpha", "text"))


BREAKS: list[Callable[[onnx.ModelProto], None]] = [
    unsorted, cyclic, reading_nothing, writing_nothing, named_twice, input_twice, no_operands,
    too_many_operands, short_weight, long_weight, negative_weight, gigantic_weight,
    weight_of_no_type, weight_of_unknown_type, input_of_unknown_type, shape_that_cannot_be,
    output_shape_that_cannot_be, output_rank_that_cannot_be, attribute_of_another_type,
]  # fmt: skip


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_graphs_that_break_the_format(
    tmp_path: Path, damage: Callable[[onnx.ModelProto], None]
) -> None:
    """The file's fault, so never a code that blames edgec, and never a traceback."""
    proto = proto_of(
        "g (float[N,4] x) => (float[N,4] y) { a = MatMul(x, w) y = LeakyRelu(a) }", w=gaussian(4, 4)
    )
    damage(proto)
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_UNREADABLE


def test_sequences_are_unsupported(tmp_path: Path) -> None:
    proto = proto_of("g (seq(float[2]) s, int64 i) => (float[2] y) { y = SequenceAt(s, i) }")
    assert refusal(saved(tmp_path, proto)).code is Code.MODEL_UNSUPPORTED


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(tmp_path: Path, bad: float) -> None:
    weight = gaussian(4, 4)
    weight[1, 2] = bad
    proto = proto_of("g (float[N,4] x) => (float[N,4] y) { y = MatMul(x, w) }", w=weight)
    error = refusal(saved(tmp_path, proto))
    assert error.code is Code.MODEL_NOT_FINITE
    assert "1 NaN or infinite" in error.what
    assert "MatMul" in error.where or "Gemm" in error.where


# --- shapes --------------------------------------------------------------------------------------


def without_rank() -> onnx.ModelProto:
    proto = plain()
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    return proto


def shapes(**given: tuple[int, ...]) -> IngestOptions:
    return IngestOptions(input_shapes=given)


def test_missing_rank_asks_for_the_shape(tmp_path: Path) -> None:
    error = refusal(saved(tmp_path, without_rank()))
    assert error.code is Code.INPUT_SHAPE_NEEDED
    assert "--input-shape x=" in error.hint


def test_given_shape_completes_the_file_and_its_batch_stays_open(tmp_path: Path) -> None:
    model = importer.load(saved(tmp_path, without_rank()), shapes(x=(8, 4)))
    assert [str(spec) for spec in interface_of(model).inputs] == ["x: float32[batch, 4]"]


@pytest.mark.parametrize(
    ("stated", "given", "result"),
    [
        ("N,4", (1, 4), "[N, 4]"),
        ("N,L", (1, 4), "[N, 4]"),
        ("?,?", (1, 4), "[x_dim0, 4]"),
        ("2,?", (2, 4), "[2, 4]"),
    ],
)
def test_given_shape_fills_what_is_open(
    tmp_path: Path, stated: str, given: tuple[int, ...], result: str
) -> None:
    proto = proto_of(f"g (float[{stated}] x) => (float[A,B] y) {{ y = Neg(x) }}")
    model = importer.load(saved(tmp_path, proto), shapes(x=given))
    assert str(interface_of(model).inputs[0]) == f"x: float32{result}"


@pytest.mark.parametrize("given", [(1, 5), (1,), (1, 4, 1)])
def test_given_shape_that_contradicts_the_file(tmp_path: Path, given: tuple[int, ...]) -> None:
    assert refusal(saved(tmp_path, plain()), shapes(x=given)).code is Code.USAGE


def test_shape_of_an_unknown_input(tmp_path: Path) -> None:
    error = refusal(saved(tmp_path, plain()), shapes(image=(1, 4)))
    assert error.code is Code.USAGE
    assert error.expected == "one of: x"


def test_initializers_among_the_inputs_are_not_asked_for(tmp_path: Path) -> None:
    proto = plain()
    proto.graph.input.add(name="w").type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    source = read_source(str(saved(tmp_path, proto)))
    assert [spec.name for spec in source.interface.inputs] == ["x"]


# --- external data -------------------------------------------------------------------------------


def external(location: str, *, offset: int | None = None, length: int | None = None) -> bytes:
    proto = plain()
    [tensor] = proto.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    settings = {"location": location, "offset": offset, "length": length}
    for key, value in settings.items():
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    content: bytes = proto.SerializeToString()
    return content


WEIGHT_BYTES = gaussian(4, 4).tobytes()


def weights_of(path: Path) -> np.ndarray:
    source = read_source(str(path))
    [value] = [v for v in source.model.graph.initializers.values() if v.name != "y_shape"]
    assert value.const_value is not None
    return value.const_value.numpy()


@pytest.mark.parametrize(
    ("location", "before", "settings"),
    [
        ("w.bin", b"", {}),
        ("w.bin", b"", {"length": 64}),
        ("w.bin", b"", {"offset": 0, "length": 64}),
        ("w.bin", bytes(4096), {"offset": 4096, "length": 64}),
        ("w.bin", bytes(4096), {"offset": 4096}),
        ("deep/er/w.bin", b"", {}),
    ],
)
def test_external_data_inside_the_folder(
    tmp_path: Path, location: str, before: bytes, settings: dict[str, int]
) -> None:
    target = tmp_path / location
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(before + WEIGHT_BYTES)
    path = saved(tmp_path, external(location, **settings))
    np.testing.assert_array_equal(weights_of(path), gaussian(4, 4).T)


def test_external_data_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT_BYTES)
    saved(tmp_path, external("w.bin"))
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(weights_of(Path("m.onnx")), gaussian(4, 4).T)


def test_model_folder_behind_a_link_is_the_users_choice(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "w.bin").write_bytes(WEIGHT_BYTES)
    saved(tmp_path / "real", external("w.bin"))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    np.testing.assert_array_equal(weights_of(tmp_path / "link" / "m.onnx"), gaussian(4, 4).T)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "..",
        "../w.bin",
        "deep/../../w.bin",
        "/etc/passwd",
        ".",
        "a\0b",
        "x" * 5000,
        "missing.bin",
    ],
)
def test_external_data_elsewhere(tmp_path: Path, location: str) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT_BYTES)
    (tmp_path / "inner").mkdir()
    path = saved(tmp_path / "inner", external(location))
    assert refusal(path).code is Code.EXTERNAL_DATA


def test_external_data_behind_links(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside, inside):
        folder.mkdir()
        (folder / "w.bin").write_bytes(WEIGHT_BYTES)
    (inside / "file.bin").symlink_to(outside / "w.bin")
    (inside / "own.bin").symlink_to(inside / "w.bin")
    (inside / "folder").symlink_to(outside)
    for location in ("file.bin", "own.bin", "folder/w.bin"):
        assert refusal(saved(inside, external(location))).code is Code.EXTERNAL_DATA, location


@pytest.mark.parametrize(
    "settings",
    [
        {"length": 65},
        {"offset": 1, "length": 64},
        {"offset": 4096},
        {"offset": -1, "length": 64},
        {"length": -64},
        {"offset": 8},
        {"length": 16},
    ],
)
def test_external_data_too_short(tmp_path: Path, settings: dict[str, int]) -> None:
    """Also when the declared length fits the file but not the tensor."""
    (tmp_path / "w.bin").write_bytes(WEIGHT_BYTES)
    assert refusal(saved(tmp_path, external("w.bin", **settings))).code is Code.EXTERNAL_DATA


def test_external_data_with_a_length_that_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT_BYTES)
    content = external("w.bin", length=64).replace(b"64", b"xx")
    assert refusal(saved(tmp_path, content)).code is Code.EXTERNAL_DATA


def test_external_data_of_constants_and_functions_is_checked(tmp_path: Path) -> None:
    """Wherever a tensor may hide: an attribute, a function's body, a list of tensors."""
    (tmp_path / "outside.bin").write_bytes(WEIGHT_BYTES)
    (tmp_path / "inner").mkdir()
    stray = onnx.TensorProto(name="t", data_type=1, dims=[4, 4])
    stray.data_location = onnx.TensorProto.EXTERNAL
    stray.external_data.add(key="location", value="../outside.bin")
    main = proto_of(
        """g (float[N,4] x) => (float[N,4] y) {
            c = Constant<value = float {1.0}>()
            y = MatMul(x, c)
        }"""
    )
    main.graph.node[0].attribute[0].t.CopyFrom(stray)
    inner = onnx.parser.parse_model(
        IN_FUNCTION.format("c = Constant<value = float {1.0}>() y = MatMul(x, c)")
    )
    inner.functions[0].node[0].attribute[0].t.CopyFrom(stray)
    for proto in (main, inner):
        error = refusal(saved(tmp_path / "inner", proto))
        assert error.code is Code.EXTERNAL_DATA


def test_external_constant_node_is_read(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT_BYTES)
    proto = proto_of(
        """g (float[N,4] x) => (float[N,4] y) {
            c = Constant<value = float {1.0}>()
            y = MatMul(x, c)
        }"""
    )
    tensor = onnx.TensorProto(name="t", data_type=1, dims=[4, 4])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.bin")
    proto.graph.node[0].attribute[0].t.CopyFrom(tensor)
    np.testing.assert_array_equal(weights_of(saved(tmp_path, proto)), gaussian(4, 4).T)
