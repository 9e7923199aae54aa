"""The asked-for share of the weights becomes zero, in the asked-for places."""

import numpy as np
import onnx_ir as ir
import pytest

from compressor.calibration.moments import Moments
from compressor.calibration.table import CalibrationTable
from compressor.errors import Code, EdgecError
from compressor.ir.sparsity import Sparsity
from compressor.passes.protocol import PassContext
from compressor.passes.sparsify import Sparsify
from tests.coupled import inferred
from tests.graphs import constant, gaussian

SHAPES = {"w0": (24, 8, 3, 3), "w1": (40, 24, 1, 1), "w2": (16, 40)}


def model(scale: float = 1.0) -> ir.Model:
    return inferred(
        """g (float[N,8,5,5] x) => (float[N,16] y) {
            a = Conv(x, w0, b0)
            c = Conv(a, w1)
            d = Conv<group=40>(c, wd)
            m = GlobalAveragePool(d)
            f = Reshape(m, rows)
            y = Gemm<transB=1>(f, w2)
        }""",
        w0=gaussian(*SHAPES["w0"]) * np.float32(scale),
        b0=gaussian(24),
        w1=gaussian(*SHAPES["w1"], seed=1),
        wd=gaussian(40, 1, 3, 3),
        w2=gaussian(*SHAPES["w2"], seed=2),
        rows=np.array([-1, 40]),
    )


def share_of(found: ir.Model, names: list[str]) -> float:
    arrays = [constant(found, name) for name in names]
    return sum(int((a == 0).sum()) for a in arrays) / sum(a.size for a in arrays)


@pytest.mark.parametrize("per_layer", [False, True])
@pytest.mark.parametrize("share", ["50%", "90%"])
def test_share_of_zeros(share: str, per_layer: bool) -> None:
    found = model()
    sparsity = Sparsity.parse(share, "")
    changes = Sparsify(sparsity=sparsity, per_layer=per_layer).run(found, PassContext())
    assert share_of(found, list(SHAPES)) == pytest.approx(sparsity.share, abs=0.01)
    assert share_of(found, ["wd"]) == 0
    assert changes.counts["weights set to zero"] > 0
    assert [skip.reason for skip in changes.skipped] == ["it has few weights"]


def test_small_weights_of_all_layers_go_first() -> None:
    before, found = constant(model(), "w1"), model()
    Sparsify(sparsity=Sparsity.parse("30%", ""), per_layer=True).run(found, PassContext())
    after = constant(found, "w1")
    assert np.abs(before[after == 0]).max() <= np.abs(before[after != 0]).min()


def test_scale_of_a_layer_does_not_count() -> None:
    found = model(scale=100.0)
    Sparsify(sparsity=Sparsity.parse("50%", "")).run(found, PassContext())
    assert share_of(found, ["w0"]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("text", ["2:4", "4:8", "1:2"])
@pytest.mark.parametrize("informed", [False, True])
def test_pattern_holds_along_the_channels(text: str, informed: bool) -> None:
    found, sparsity = model(), Sparsity.parse(text, "")
    context = PassContext(table=table()) if informed else PassContext()
    Sparsify(sparsity=sparsity).run(found, context)
    assert sparsity.pattern is not None
    stay, run = sparsity.pattern
    for name in SHAPES:
        array = np.moveaxis(constant(found, name), 1, -1)
        runs = (array.reshape(-1, run) != 0).sum(axis=1)
        assert (runs == stay).all()


def table() -> CalibrationTable:
    moments = {}
    for name, node in (("w0", "n0"), ("w1", "n1"), ("w2", "n5")):
        width = int(np.prod(SHAPES[name][1:]))
        mixed = gaussian(4 * width, width, seed=5) @ gaussian(width, width, seed=6)
        covariance = np.cov(mixed.T).astype(np.float32)
        moments[node] = Moments(
            mean=np.ones((1, width)), covariance=covariance[None], count=4 * width
        )
    return CalibrationTable(fingerprint="", samples=1, tensors={}, moments=moments)


def test_moments_lessen_the_error_of_the_answers() -> None:
    plain, informed, known = model(), model(), table()
    step = Sparsify(sparsity=Sparsity.parse("60%", ""), per_layer=True)
    step.run(plain, PassContext())
    step.run(informed, PassContext(table=known))
    for name, node in (("w0", "n0"), ("w1", "n1"), ("w2", "n5")):
        covariance = known.moments[node].covariance[0]
        errors = []
        for found in (plain, informed):
            lost = (constant(found, name) - constant(model(), name)).reshape(SHAPES[name][0], -1)
            errors.append(float(np.einsum("ok,kl,ol->", lost, covariance, lost)))
        assert errors[1] < 0.95 * errors[0]


def test_mean_answer_stays_where_there_is_a_bias() -> None:
    found, known = model(), table()
    Sparsify(sparsity=Sparsity.parse("60%", "")).run(found, PassContext(table=known))
    lost = (constant(model(), "w0") - constant(found, "w0")).reshape(24, -1).sum(axis=1)
    moved = constant(found, "b0") - constant(model(), "b0")
    assert np.allclose(moved, lost, atol=1e-4)


def test_nothing_asked_for_changes_nothing() -> None:
    assert not Sparsify().run(model(), PassContext()).modified


@pytest.mark.parametrize("text", ["0%", "100%", "4:2", "0:4", "2:64", "half", "2:4:8"])
def test_other_sparsity_is_refused(text: str) -> None:
    with pytest.raises(EdgecError) as caught:
        Sparsity.parse(text, "--sparsity")
    assert caught.value.code is Code.RECIPE_INVALID
