"""INT8 of real models: as accurate as promised, equal in both formats, integer throughout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from compressor.compile import Compilation
from tests.e2e import artifacts

CompileModel = Callable[..., Compilation]

# The difference of two correct integer kernels: at most a rounding on most outputs.
PARITY_LSB = 1.5
BETWEEN_RUNTIMES = 98.0  # per cent of samples with equal top-1
HYBRID_NAMED_ALIKE = 0.3  # layers that TFLite has in hybrid form hold no scales of activations
SHARE_NAMED_ALIKE = 0.75  # the rest are reshapes, which TFLite writes in another place


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model, its data, and how much it may lose: points of top-1, or agreement in per cent."""

    model: str
    data: str
    feeding: str
    largest_drop: float = 0.5
    least_agreement: float = 0.0
    transposes: int = 0
    named_alike: float = SHARE_NAMED_ALIKE

    @property
    def name(self) -> str:
        return Path(self.model).parent.name


FASHION = "models/data/fashion_mnist.npz"
CIFAR = "sets/cifar10_exact_uint8_nhwc.npz"
KWS = "sets/speech_commands12_mfcc_nhwc.npz"
XRAY = "sets/pneumoniamnist.npz"

REFERENCE = [
    Case(model="models/residual_cnn/model.onnx", data=FASHION, feeding="fashion", largest_drop=0.3),
    Case(model="models/mobilenet/model.onnx", data=FASHION, feeding="fashion", largest_drop=0.3),
    Case(
        model="models/vit/model.onnx",
        data=FASHION,
        feeding="fashion",
        largest_drop=0.5,
        named_alike=HYBRID_NAMED_ALIKE,
    ),
    Case(
        model="models/gru/model.onnx",
        data=FASHION,
        feeding="fashion",
        largest_drop=0.5,
        named_alike=HYBRID_NAMED_ALIKE,
    ),
]
SHARED = [
    Case(
        model="models/cifar10_resnet20/model.onnx",
        data=CIFAR,
        feeding="cifar",
        least_agreement=98.5,
        transposes=1,
    ),
    Case(
        model="models/cifar10_resnet32/model.onnx",
        data=CIFAR,
        feeding="cifar",
        least_agreement=98.5,
        transposes=1,
    ),
    Case(
        model="models/mlperf_resnet8_cifar10/model.onnx",
        data=CIFAR,
        feeding="as stored NHWC",
        least_agreement=98.5,
        transposes=1,
    ),
    Case(
        model="models/mlperf_dscnn_kws/model.onnx",
        data=KWS,
        feeding="as stored NHWC",
        largest_drop=0.3,
    ),
    Case(model="models/pneumoniamnist_smallresnet/model.onnx", data=XRAY, feeding="as stored NCHW"),
    Case(model="models/fmnist_lenet/model.onnx", data=FASHION, feeding="fashion", largest_drop=0.3),
]


def compile_case(case: Case, compiled: CompileModel, root: Path, data: Path) -> Compilation:
    return compiled(str(root / case.model), data, feeding=case.feeding)


@pytest.fixture(params=REFERENCE + SHARED, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def result(
    case: Case, compiled: CompileModel, repository: Path, request: pytest.FixtureRequest
) -> Compilation:
    root = repository
    if case in SHARED:
        root = request.getfixturevalue("shared_data")
    data = (repository if case.data == FASHION else root) / case.data
    return compile_case(case, compiled, root, data)


@pytest.mark.slow
class TestInt8:
    def test_loses_no_more_than_promised(self, case: Case, result: Compilation) -> None:
        for artifact in result.artifacts:
            assert artifact.accuracy is not None
            assert artifact.accuracy.drop is not None
            assert artifact.accuracy.agreement is not None
            assert artifact.accuracy.drop.value <= case.largest_drop
            assert artifact.accuracy.agreement >= case.least_agreement

    def test_both_formats_answer_alike(self, result: Compilation) -> None:
        parities = [parity for artifact in result.artifacts for parity in artifact.parity]
        assert parities
        for parity in parities:
            assert parity.mean_lsb <= PARITY_LSB
            assert parity.agreement is not None
            assert parity.agreement >= BETWEEN_RUNTIMES

    def test_both_formats_hold_the_same_scales(self, case: Case, result: Compilation) -> None:
        onnx_grids = artifacts.onnx_grids(result.folder / "model.onnx")
        tflite_grids = artifacts.tflite_grids(result.folder / "model.tflite")
        common = tflite_grids.keys() & onnx_grids.keys()
        assert len(common) >= case.named_alike * len(onnx_grids)
        for name in common:
            for ours, theirs in zip(onnx_grids[name], tflite_grids[name], strict=True):
                gates = len(theirs) if case.name == "gru" else None  # TFLite holds them apart
                np.testing.assert_array_equal(ours[:gates], theirs, err_msg=name)

    def test_a_cnn_is_integer_and_has_no_transpose_inside(
        self, case: Case, result: Compilation
    ) -> None:
        if case.name in ("vit", "gru"):
            assert any(reason for _, _, reason in result.summary.kept_float)
            pytest.skip("only convolutional networks are integer throughout")
        assert result.summary.integer_macs == 1.0
        assert result.summary.integer_weights == 1.0
        tflite = result.folder / "model.tflite"
        transposed = artifacts.tflite_transposes(tflite)
        inputs = {spec["name"] for spec in result.report["model"]["interface"]["inputs"]}
        assert len(transposed) == case.transposes
        assert all(name.split("_quantized")[0] in inputs for name in transposed)
        assert artifacts.tflite_operators(tflite)["QUANTIZE"] <= 1


@pytest.mark.slow
def test_toycar_autoencoder_compiles_on_random_samples(
    compiled: CompileModel, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random = np.random.default_rng(0)
    data = tmp_path_factory.mktemp("toycar") / "spectra.npz"
    np.savez(data, x=random.standard_normal((100, 640), np.float32))
    result = compiled(str(shared_data / "models/mlperf_ae_toycar/model.onnx"), data)
    for artifact in result.artifacts:
        assert artifact.accuracy is not None
        assert artifact.accuracy.metric == "cosine"
        assert artifact.accuracy.cosine > 0.99
    assert result.artifacts[1].parity[0].mean_lsb <= PARITY_LSB
