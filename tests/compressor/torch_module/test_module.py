"""The module computes what ONNX Runtime does without its optimiser, and can be trained."""

import copy
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import Precision, is_convert, quant_of, set_precision, set_quant
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType, QuantParams
from compressor.quantizers.affine import weight_params
from compressor.source import read_source
from compressor.torch_module.module import TorchModule
from compressor.torch_module.tensors import array_of
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import constant, feeds_for, gaussian, graph_of, run_onnx
from tests.quantized import GRAPHS, quantized
from tests.tolerances import FINITE_DIFFERENCE, QUANTIZED_STEP, float32_network


def answers(model: ir.Model, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    module = TorchModule(model)
    names = [spec.name for spec in interface_of(model).inputs]
    with torch.no_grad():
        outputs = module(*(torch.from_numpy(feeds[name]) for name in names))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    results = [spec.name for spec in interface_of(model).outputs]
    return {name: array_of(one) for name, one in zip(results, outputs, strict=True)}


def assert_close(model: ir.Model, *, batch: int, layers: int = 20, terms: int = 64) -> None:
    feeds = feeds_for(model, batch=batch)
    want, have = run_onnx(exporter.write(model, ExportOptions()), feeds), answers(model, feeds)
    assert list(want) == list(have)
    for name, expected in want.items():
        assert (have[name].dtype, have[name].shape) == (expected.dtype, expected.shape)
        bound = float32_network(layers=layers, terms=terms) * np.abs(expected).max()
        assert np.abs(have[name] - expected).max() <= bound, name


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("name", list(GRAPHS))
def test_floats_are_those_of_onnx_runtime(name: str, batch: int) -> None:
    assert_close(GRAPHS[name](), batch=batch)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["residual_cnn", "mobilenet", "vit", "gru"])
def test_reference_models(name: str, repository: Path) -> None:
    source = read_source(str(repository / "models" / name / "model.onnx"))
    assert_close(source.model, batch=3, layers=100, terms=1000)


@pytest.mark.parametrize("name", list(GRAPHS))
def test_annotated_values_are_the_integers_of_the_exported_file(name: str) -> None:
    model = GRAPHS[name]()
    quantized(model)
    feeds = feeds_for(model, batch=4)
    want = run_onnx(exporter.write(model, ExportOptions()), feeds)
    have = answers(model, feeds)
    for value in model.graph.outputs:
        producer = value.producer()
        assert producer is not None
        inner = producer.inputs[0] if is_convert(producer) else None
        params = quant_of(inner)
        step = np.ptp(want[value.name]) / 255 if params is None else params.scale[0]  # type: ignore[index]
        gap = np.abs(have[value.name] - want[value.name]) / step  # type: ignore[index]
        assert gap.max() <= QUANTIZED_STEP
        assert (gap > 0.5).mean() < 0.02  # steps apart are ties, and ties are rare


def test_scales_found_at_run_time() -> None:
    model = graph_of("g (float[N,6] x) => (float[N,4] y) { y = MatMul(x, w) }", w=gaussian(6, 4))
    [node] = model.graph
    weight = node.inputs[1]
    assert weight is not None
    set_precision(node, Precision.DYNAMIC)
    set_quant(weight, weight_params(constant(model, "w"), axis=1))
    assert_close(model, batch=3)
    feeds = feeds_for(model, batch=3)
    real = feeds["x"] @ constant(model, "w")
    assert not np.allclose(answers(model, feeds)["y"], real, rtol=1e-4)


@pytest.mark.parametrize("name", list(GRAPHS))
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    module = TorchModule(GRAPHS[name](), real=torch.float64)
    feeds = feeds_for(GRAPHS[name](), batch=2)
    inputs = [torch.from_numpy(array).double() for array in feeds.values()]
    weights = torch.randn_like(module(*inputs))

    def loss() -> torch.Tensor:
        return (module(*inputs) * weights).sum()

    loss().backward()
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None, key
        direction = torch.randn_like(parameter)
        step = 1e-6
        with torch.no_grad():
            parameter.add_(step * direction)
            above = loss()
            parameter.sub_(2 * step * direction)
            below = loss()
            parameter.add_(step * direction)
        slope = float((above - below) / (2 * step))
        exact = float((parameter.grad * direction).sum())
        size = float((parameter.grad.abs() * direction.abs()).sum())
        assert abs(slope - exact) <= FINITE_DIFFERENCE * max(size, 1.0), key


def test_gradients_pass_the_rounding_and_stop_at_the_ends_of_the_range() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Mul(x, w) }", w=[1.0, 1.0, 1.0])
    set_quant(model.graph.outputs[0], None)
    weight = model.graph.initializers["w"]
    set_quant(weight, QuantParams.per_tensor(IntegerType.INT8, 0.005, 0))  # reaches 0.635
    module = TorchModule(model)
    module(torch.ones(1, 3)).sum().backward()
    assert dict(module.named_parameters())["w"].grad.tolist() == [0.0, 0.0, 0.0]
    with torch.no_grad():
        dict(module.named_parameters())["w"].fill_(0.5)
    module.zero_grad()
    module(torch.ones(1, 3)).sum().backward()
    assert dict(module.named_parameters())["w"].grad.tolist() == [1.0, 1.0, 1.0]


def test_parameters_are_called_as_the_initializers_are() -> None:
    model = graph_of(
        "g (float[N,4] x) => (float[N,4] y) { a = Mul(x, p) b = Add(a, q) c = Add(b, r) "
        "d = Add(c, s) y = Mul(d, half) }",
        **{name: gaussian(4, seed=index) for index, name in enumerate("pqrs")},
        half=np.float32(0.5),
    )
    for old, new in zip("pqrs", ("type", "block.0.weight", "block", "a..b"), strict=True):
        value = model.graph.initializers[old]
        value.name = new
    module = TorchModule(model)
    assert module.parameter_names["block.0.weight"] == "block.0.weight"
    assert len(set(module.parameter_names.values())) == 5
    assert set(module.state_dict()) == set(module.parameter_names.values())
    assert "half" not in dict(module.named_parameters())  # part of a formula
    assert len(list(module.parameters())) == 4


def test_what_was_learned_goes_back() -> None:
    model = GRAPHS["residual"]()
    module = TorchModule(model)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5)
    before = constant(model, "w0").copy()
    module.write_back(model)
    assert np.array_equal(constant(model, "w0"), before * np.float32(1.5))
    feeds = feeds_for(model)
    inputs = [torch.from_numpy(array) for array in feeds.values()]
    assert np.allclose(answers(model, feeds)["y"], array_of(module(*inputs)))


def test_a_copy_has_its_own_parameters() -> None:
    module = TorchModule(GRAPHS["residual"]())
    other = copy.deepcopy(module)
    x = torch.from_numpy(gaussian(2, 3, 8, 8))
    before = module(x)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert torch.equal(module(x), before)
    assert not torch.equal(other(x), before)


def test_half_precision() -> None:
    model = GRAPHS["transformer"]()
    feeds = feeds_for(model)
    module = TorchModule(model, real=torch.bfloat16)
    with torch.no_grad():
        found = module(*(torch.from_numpy(array) for array in feeds.values()))
    assert found.dtype == torch.bfloat16
    want = run_onnx(model, feeds)["z"]
    assert np.abs(array_of(found) - want).max() < 0.1 * np.abs(want).max()


@pytest.mark.slow
def test_compiles_to_one_graph_without_breaks() -> None:
    module = TorchModule(GRAPHS["residual"]())
    x = torch.from_numpy(gaussian(2, 3, 8, 8))
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    with torch.no_grad():
        assert torch.equal(compiled(x), module(x))


def test_an_unknown_operator_is_refused_with_its_node() -> None:
    model = graph_of('g (float[N] x) => (float[N] y) { y = Relu(x) }')  # fmt: skip
    [node] = model.graph
    node.op_type = "Sorcery"
    with pytest.raises(EdgecError) as caught:
        TorchModule(model)
    assert caught.value.code is Code.MODEL_UNSUPPORTED
    assert "Sorcery" in caught.value.where


@pytest.mark.parametrize("name", list(GRAPHS))
def test_nothing_stays_behind_when_the_module_moves(name: str) -> None:
    """On the device "meta" nothing is computed, but tensors of others cannot be mixed in."""
    model = GRAPHS[name]()
    quantized(model)
    module = TorchModule(model)
    feeds = feeds_for(model)
    here = module(*(torch.from_numpy(array) for array in feeds.values()))
    there = module.to("meta")(*(torch.from_numpy(a).to("meta") for a in feeds.values()))
    assert there.device.type == "meta"
    assert there.shape == here.shape
