"""Uneven channels are evened out where that lowers the error, and the answers stay the same."""

import numpy as np
import onnx_ir as ir

from compressor.analyses.channel_sites import channel_axis, channel_sites
from compressor.calibration.channels import ChannelStatistics, collect_channels
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.migrate_scales import MigrateScales
from compressor.passes.protocol import Changes, PassContext
from tests.graphs import apply, assert_same, constant, feeds_for, gaussian, graph_of, run_onnx
from tests.quantized import GRAPHS, make_runner, quantized, real_values

UNEVEN = np.geomspace(1, 1000, 8).astype(np.float32)


def migrated(model: ir.Model) -> Changes:
    """Even *model* out by what its channels do on random samples."""
    InferShapes().run(model, PassContext())
    layers = [layer for site in channel_sites(model.graph) for layer in site.layers]
    axes = {layer.inputs[0].name or "": channel_axis(layer) for layer in layers}
    batches = [feeds_for(model, batch=16, seed=seed) for seed in range(2)]
    channels = collect_channels(model, axes, batches, make_runner=make_runner)
    [changes, _] = apply(
        model, MigrateScales(), InferShapes(), context=PassContext(channels=channels)
    )
    return changes


def convolutions(group: int = 1) -> ir.Model:
    """Two layers, the channels between which lie up to a thousand times apart."""
    inputs = 8 // group
    return graph_of(
        "g (float[N,3,6,6] x) => (float[N,8,6,6] y) {"
        f" a = Conv(x, k, b) r = Relu(a) y = Conv<group={group}>(r, e) }}",
        k=gaussian(8, 3, 1, 1) * UNEVEN[:, None, None, None],
        b=gaussian(8, seed=1) * UNEVEN,
        e=gaussian(8, inputs, 1, 1, seed=2)
        / (UNEVEN[:, None, None, None] if inputs == 1 else UNEVEN[None, :, None, None]),
    )


def sqnr_of_static_int8(model: ir.Model) -> float:
    source, feeds = model.clone(), feeds_for(model, batch=16, seed=9)
    quantized(model)
    want, have = run_onnx(source, feeds)["y"], real_values(model, feeds)["y"]
    return float(10 * np.log10(np.square(want).mean() / np.square(have - want).mean()))


def test_answers_stay_the_same() -> None:
    for model in (convolutions(), convolutions(group=8), GRAPHS["transformer"]()):
        before = model.clone()
        migrated(model)
        assert_same(before, model, terms=64, layers=24)


def test_uneven_channels_lose_far_less_afterwards() -> None:
    plain, evened = convolutions(), convolutions()
    changes = migrated(evened)
    assert changes.counts == {"into parameters": 1, "by a multiplication": 0}
    assert sqnr_of_static_int8(evened) > sqnr_of_static_int8(plain) + 10


def test_depthwise_layers_take_their_factors() -> None:
    model = convolutions(group=8)
    before = constant(model, "e")
    assert migrated(model).counts["into parameters"] == 1
    ratio = (constant(model, "e") / before).ravel()
    assert ratio[-1] / ratio[0] > 100


def test_even_channels_are_left_alone() -> None:
    model = graph_of(
        "g (float[N,3,6,6] x) => (float[N,8,6,6] y) { a = Conv(x, k) y = Conv(a, e) }",
        k=np.sign(gaussian(8, 3, 1, 1)),
        e=np.sign(gaussian(8, 8, 1, 1, seed=2)),
    )
    before = constant(model, "k")
    changes = migrated(model)
    assert not changes.modified
    assert changes.skipped[-1].reason == "its channels are even enough"
    np.testing.assert_array_equal(constant(model, "k"), before)


def test_activation_that_others_read_is_multiplied_for_the_layers_alone() -> None:
    model = graph_of(
        "g (float[N,8] x) => (float[N,8] y) {"
        " n = LayerNormalization(x, s) l = Gemm<transB=1>(n, w) y = Add(l, n) }",
        s=UNEVEN,
        w=gaussian(8, 8) / UNEVEN,
    )
    before = model.clone()
    assert migrated(model).counts == {"into parameters": 0, "by a multiplication": 1}
    assert [node.op_type for node in model.graph] == ["LayerNormalization", "Mul", "Gemm", "Add"]
    assert_same(before, model, terms=16)


def test_without_statistics_nothing_is_changed() -> None:
    [changes] = apply(convolutions(), MigrateScales())
    assert not changes.modified
    assert {entry.reason for entry in changes.skipped} == {"its channels were not observed"}


def test_silent_channels_keep_their_weights() -> None:
    model = convolutions()
    kernel, bias = constant(model, "k").copy(), constant(model, "b").copy()
    kernel[3], bias[3] = 0, 0
    for name, array in (("k", kernel), ("b", bias)):
        model.graph.initializers[name].const_value = ir.tensor(array, name=name)
    silent = constant(model, "e")[:, 3].copy()
    assert migrated(model).modified
    np.testing.assert_array_equal(constant(model, "e")[:, 3], silent)


def test_float_images_are_multiplied_in_front_of_a_convolution() -> None:
    model = graph_of(
        "g (float[N,8,6,6] x) => (float[N,8,6,6] y) { y = Conv(x, e) }", e=gaussian(8, 8, 1, 1)
    )
    InferShapes().run(model, PassContext())
    level = UNEVEN.astype(np.float64)
    seen = {"x": ChannelStatistics(low=-level, high=level, power=level**2)}
    weight = constant(model, "e") / UNEVEN[None, :, None, None]
    model.graph.initializers["e"].const_value = ir.tensor(weight, name="e")
    before = model.clone()
    [changes] = apply(model, MigrateScales(), context=PassContext(channels=seen))
    assert changes.counts == {"into parameters": 0, "by a multiplication": 1}
    assert [node.op_type for node in model.graph] == ["Mul", "Conv"]
    assert_same(before, model, terms=16)
