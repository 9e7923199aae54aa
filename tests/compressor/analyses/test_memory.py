"""Arenas are valid, as small as tflite-micro's, and named by what decides them."""

from itertools import combinations
from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.analyses.memory import MemoryPlan, plan_memory
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from compressor.source import read_source
from tests.graphs import gaussian, graph_of


def plan(text: str, **constants: object) -> MemoryPlan:
    model: ir.Model = graph_of(text, **constants)
    InferShapes().run(model, PassContext())
    return plan_memory(model.graph)


def assert_valid(found: MemoryPlan) -> None:
    for one, other in combinations(found.buffers, 2):
        apart = one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
        assert apart or not one.meets(other)
    assert found.arena >= sum(buffer.size for buffer in found.decided_by)


def test_a_chain_needs_two_buffers() -> None:
    found = plan("g (float[1,64] x) => (d) { a = Exp(x)\n b = Exp(a)\n c = Exp(b)\n d = Exp(c) }")
    assert found.arena == 2 * 256
    assert_valid(found)


def test_a_skip_keeps_its_tensor_alive() -> None:
    found = plan(
        "g (float[1,64] x) => (d) { a = Exp(x)\n b = Exp(a)\n c = Exp(b)\n d = Add(c, a) }"
    )
    assert found.arena == 3 * 256
    assert_valid(found)


def test_views_and_fused_activations_take_nothing() -> None:
    found = plan(
        "g (float[1,4,8,8] x) => (f) { y = Conv(x, w)\n r = Relu(y)\n f = Flatten(r) }",
        w=gaussian(4, 4, 1, 1),
    )
    assert found.arena == 2 * 4 * 4 * 64
    assert len(found.buffers) == 2


def test_sizes_are_aligned() -> None:
    assert plan("g (float[1,3] x) => (y) { y = Exp(x) }").arena == 2 * 16


def test_the_tensors_that_decide_are_named() -> None:
    found = plan("g (float[1,8] x) => (z) { y = Concat<axis=1>(x, x)\n z = Concat<axis=1>(y, y) }")
    assert [(b.name, b.size) for b in found.decided_by] == [("z", 128), ("y", 64)]


@pytest.mark.parametrize(
    ("model", "arena"),
    [
        # "Arena allocation head" of tflite-micro's recording allocator for the same file.
        ("mlperf_dscnn_kws", 16_000),
        ("mlperf_resnet8_cifar10", 49_152),
        ("mlperf_ae_toycar", 768),
    ],
)
def test_as_small_as_tflite_micro(shared_data: Path, model: str, arena: int) -> None:
    path = shared_data / "models" / model / "reference_int8.tflite"
    found = plan_memory(read_source(str(path)).model.graph)
    assert found.arena <= arena
    assert_valid(found)
