"""Files that contradict themselves or use what edgec lacks; names of inputs and outputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions
from compressor.ingest.tflite import accepts, load
from compressor.ingest.tflite.importer import import_bytes
from compressor.ingest.tflite.reader import MAX_OPERATORS
from compressor.ir.interface import Interface, interface_of
from tests.compressor.ingest.tflite.files import File


def network(change: Callable[[File], None] | None = None) -> bytes:
    """Return ``y = relu(x @ w)`` with tensors x, w, h, y numbered 0 to 3, after *change*."""
    file = File()
    x = file.tensor("x", (2, 3))
    weight = file.constant("w", np.ones((4, 3), np.float32))
    hidden, y = file.tensor("h", (2, 4)), file.tensor("y", (2, 4))
    file.op("FULLY_CONNECTED", [x, weight, -1], [hidden], schema.FullyConnectedOptionsT())
    file.op("RELU", [hidden], [y])
    file.graph.inputs, file.graph.outputs = [x], [y]
    if change is not None:
        change(file)
    return file.pack(file.graph.inputs, file.graph.outputs)


def set_input(operator: int, tensors: list[int]) -> Callable[[File], None]:
    return lambda file: setattr(file.graph.operators[operator], "inputs", tensors)


def set_output(operator: int, tensors: list[int]) -> Callable[[File], None]:
    return lambda file: setattr(file.graph.operators[operator], "outputs", tensors)


def on_tensor(index: int, **changes: object) -> Callable[[File], None]:
    def change(file: File) -> None:
        for name, value in changes.items():
            setattr(file.graph.tensors[index], name, value)

    return change


def scaled(scale: list[float], zero: list[int], axis: int = 0) -> schema.QuantizationParametersT:
    return schema.QuantizationParametersT(
        scale=np.asarray(scale, np.float32),
        zeroPoint=np.asarray(zero, np.int64),
        quantizedDimension=axis,
    )


def integer_weight(quantization: schema.QuantizationParametersT) -> Callable[[File], None]:
    def change(file: File) -> None:
        data = np.ones((4, 3), np.int8)
        file.model.buffers[1].data = np.frombuffer(data.tobytes(), np.uint8)
        on_tensor(1, type=schema.TensorType.INT8, quantization=quantization)(file)

    return change


def rename_operator(operator: int, code: int, custom: str | None = None) -> Callable[[File], None]:
    def change(file: File) -> None:
        entry = file.model.operatorCodes[operator]
        entry.builtinCode, entry.customCode = code, custom
        entry.deprecatedBuiltinCode = min(code, 127)

    return change


UNREADABLE: dict[str, Callable[[File], None]] = {
    "it has no subgraph": lambda file: file.model.subgraphs.clear(),
    "it has no outputs": lambda file: file.graph.outputs.clear(),
    "an input is a tensor that does not exist": lambda file: file.graph.inputs.append(9),
    "operator 1 reads tensor 7, which does not exist": set_input(1, [7]),
    "operator 1 reads 'y' before it is made": set_input(1, [3]),
    "operator 0 reads 'h' before it is made": set_input(0, [2, 1, -1]),
    "tensor 'h' is made twice": set_output(1, [2]),
    "tensor 'x' is made twice": set_output(1, [0]),
    "tensor 'w' is made twice": set_output(1, [1]),
    "operator 1 has no outputs": set_output(1, []),
    "nothing makes the output 'spare'": lambda file: file.graph.outputs.append(
        file.tensor("spare", (1,))
    ),
    "there is no buffer 99": on_tensor(1, buffer=99),
    "constant 'w' has 48 bytes instead of 60": on_tensor(1, shape=[5, 3]),
    "tensor 'h' has shape": on_tensor(2, shape=[2, -4]),
    "differ in rank": on_tensor(2, shapeSignature=[-1]),
    "operator 0 lacks its input 1": set_input(0, [0]),
    "operator 1 has no operator code": lambda file: setattr(
        file.graph.operators[1], "opcodeIndex", 8
    ),
    "makes (2, 4), not (2, 5)": on_tensor(2, shape=[2, 5]),
    "makes shape [2, 4], the file says [3, 3]": on_tensor(3, shape=[3, 3]),
    "'w' has 3 scales for shape [4, 3]": integer_weight(scaled([1, 1, 1], [0, 0, 0])),
    "scales must be positive": integer_weight(scaled([0], [0])),
    "tensor 'w': scale and zero_point must have": integer_weight(scaled([1] * 4, [0, 0])),
    "zero point outside int8": integer_weight(scaled([1], [300])),
    "two inputs or outputs are called 'y'": lambda file: file.graph.outputs.append(3),
}
UNSUPPORTED: dict[str, Callable[[File], None]] = {
    "operator SVDF cannot be read": rename_operator(1, schema.BuiltinOperator.SVDF),
    "CUSTOM 'Magic'": rename_operator(1, schema.BuiltinOperator.CUSTOM, "Magic"),
    "tensor 'h' has the type STRING": on_tensor(2, type=schema.TensorType.STRING),
    "tensor 'w' is stored sparsely": on_tensor(1, sparsity=schema.SparsityParametersT()),
    "its weights are shuffled": lambda file: setattr(
        file.graph.operators[0].builtinOptions, "weightsFormat", 1
    ),
}


def refusal_of(data: bytes) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        import_bytes(data)
    return caught.value


def test_the_network_itself_is_read() -> None:
    assert [node.op_type for node in import_bytes(network()).graph] == ["Gemm", "Relu"]


@pytest.mark.parametrize("words", UNREADABLE)
def test_contradictions(words: str) -> None:
    error = refusal_of(network(UNREADABLE[words]))
    assert error.code is Code.MODEL_UNREADABLE
    assert words in error.what


@pytest.mark.parametrize("words", UNSUPPORTED)
def test_what_edgec_lacks(words: str) -> None:
    error = refusal_of(network(UNSUPPORTED[words]))
    assert error.code is Code.MODEL_UNSUPPORTED
    assert words in error.what


def test_an_unknown_operator_is_named_with_its_place() -> None:
    error = refusal_of(network(rename_operator(1, schema.BuiltinOperator.SVDF)))
    assert error.where == "operator 1, tensor 'y'"


def test_tensors_of_billions_of_elements_are_too_large() -> None:
    error = refusal_of(network(on_tensor(2, shape=[1 << 20, 1 << 20])))
    assert error.code is Code.MODEL_TOO_LARGE


def test_more_operators_than_any_model_has_are_too_many() -> None:
    def change(file: File) -> None:
        file.graph.operators.extend([file.graph.operators[1]] * (MAX_OPERATORS - 1))

    error = refusal_of(network(change))
    assert error.code is Code.MODEL_TOO_LARGE
    assert "20,001 operators" in error.what


def test_a_constant_that_many_operators_share_is_transposed_once() -> None:
    def change(file: File) -> None:
        weight = file.constant("k", np.ones((2, 1, 1, 3), np.float32))
        image = file.tensor("image", (1, 4, 4, 3))
        file.graph.inputs.append(image)
        for index in range(3):
            made = file.tensor(f"made{index}", (1, 4, 4, 2))
            options = schema.Conv2DOptionsT(strideH=1, strideW=1)
            file.op("CONV_2D", [image, weight, -1], [made], options)
            file.graph.outputs.append(made)

    model = import_bytes(network(change))
    weights = {node.inputs[1] for node in model.graph if node.op_type == "Conv"}
    assert [weight.name for weight in weights if weight] == ["k"]


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(network()[:100])
    with pytest.raises(EdgecError) as caught:
        load(path, IngestOptions())
    assert caught.value.where == str(path)


def test_files_are_accepted_by_their_ending() -> None:
    assert accepts(Path("a/m.tflite"))
    assert not accepts(Path("a/m.onnx"))


def names(interface: Interface) -> tuple[list[str], list[str]]:
    return [s.name for s in interface.inputs], [s.name for s in interface.outputs]


def test_signatures_name_inputs_and_outputs() -> None:
    data = network(lambda file: file.signature({"image": 0}, {"scores": 3}))
    assert names(interface_of(import_bytes(data))) == (["image"], ["scores"])


def test_a_signature_that_leaves_something_out_does_not_count() -> None:
    data = network(lambda file: file.signature({"image": 0}, {}))
    assert names(interface_of(import_bytes(data))) == (["x"], ["y"])


def test_tensor_names_lose_the_port_of_tensorflow() -> None:
    data = network(on_tensor(0, name="serving_default_x:0"))
    assert names(interface_of(import_bytes(data))) == (["serving_default_x"], ["y"])


def test_a_tensor_called_like_an_output_takes_another_name() -> None:
    def change(file: File) -> None:
        file.graph.tensors[2].name = "scores"
        file.signature({"image": 0}, {"scores": 3})

    model = import_bytes(network(change))
    assert [node.outputs[0].name for node in model.graph] == ["scores_1", "scores"]


def test_names_of_inner_tensors_are_kept() -> None:
    model = import_bytes(network())
    assert [node.outputs[0].name for node in model.graph] == ["h", "y"]
    assert set(model.graph.initializers) == {"w"}


def test_an_input_that_is_also_an_output_is_copied() -> None:
    def change(file: File) -> None:
        file.graph.outputs.append(0)
        file.signature({"x": 0}, {"y": 3, "same": 0})

    model = import_bytes(network(change))
    assert names(interface_of(model)) == (["x"], ["y", "same"])
    assert [node.op_type for node in model.graph] == ["Gemm", "Relu", "Identity"]


def opened(file: File) -> None:
    for index in (0, 2, 3):
        tensor = file.graph.tensors[index]
        tensor.shape = [1, *tensor.shape[1:]]
        tensor.shapeSignature = [-1, *tensor.shape[1:]]


def test_an_open_batch_stays_open() -> None:
    interface = interface_of(import_bytes(network(opened)))
    assert str(interface.inputs[0]) == "x: float32[batch, 3]"
    assert str(interface.outputs[0]) == "y: float32[batch, 4]"


def test_a_batch_that_an_operator_fixes_is_not_open() -> None:
    def change(file: File) -> None:
        opened(file)
        square = file.tensor("square", (1, 2, 2))
        shape = file.constant("shape", np.asarray([1, 2, 2], np.int32))
        file.op("RESHAPE", [3, shape], [square], schema.ReshapeOptionsT(newShape=[1, 2, 2]))
        end = file.tensor("end", (1, 2, 2), signature=(-1, 2, 2))
        file.op("RELU", [square], [end])
        file.graph.outputs = [end]

    interface = interface_of(import_bytes(network(change)))
    assert str(interface.inputs[0]) == "x: float32[1, 3]"
    assert str(interface.outputs[0]) == "end: float32[1, 2, 2]"


def test_given_shapes_must_agree_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(network())
    load(path, IngestOptions(input_shapes={"x": (2, 3)}))
    for shapes, words in (({"z": (2, 3)}, "no input 'z'"), ({"x": (2, 4)}, "contradicts the file")):
        with pytest.raises(EdgecError, match=words) as caught:
            load(path, IngestOptions(input_shapes=shapes))
        assert caught.value.code is Code.USAGE
