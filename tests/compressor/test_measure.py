"""No wrong artifact passes for a success: planted defects are found before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

import exporters.onnx
import exporters.tflite
from compressor.compile import compile_model
from compressor.errors import Code, EdgecError
from compressor.ir.rewrite import set_constant
from compressor.measure import relative_difference
from compressor.recipe import Recipe, Scheme
from exporters.protocol import ExportOptions

Edit = Callable[[ir.Model], None]


def test_relative_difference_is_a_share_of_the_largest_magnitude() -> None:
    reference = np.array([1.0, -4.0], np.float32)
    assert relative_difference(reference, np.array([1.0, -3.0], np.float32)) == 0.25
    assert relative_difference(reference, reference) == 0.0
    assert relative_difference(np.zeros(2), np.array([0.0, 1e-3])) == pytest.approx(1e-3)
    assert relative_difference(reference, reference[:1]) == np.inf
    assert np.isnan(relative_difference(reference, np.array([np.nan, 0.0])))


def _louder_weights(model: ir.Model) -> None:
    gemm = next(node for node in model.graph if node.op_type == "Gemm")
    weight = gemm.inputs[1]
    assert weight is not None
    assert weight.const_value is not None
    set_constant(weight, weight.const_value.numpy() * np.float32(0.2))


def _nan_bias(model: ir.Model) -> None:
    gemm = next(node for node in model.graph if node.op_type == "Gemm")
    bias = gemm.inputs[2]
    assert bias is not None
    assert bias.const_value is not None
    set_constant(bias, bias.const_value.numpy() * np.float32(np.nan))


def _renamed_output(model: ir.Model) -> None:
    model.graph.outputs[0].name = "scores"


@pytest.mark.parametrize(
    ("module", "scheme", "edit"),
    [
        (exporters.tflite, Scheme.NONE, _louder_weights),
        (exporters.onnx, Scheme.FP16, _louder_weights),
        (exporters.tflite, Scheme.INT8, _louder_weights),
        (exporters.onnx, Scheme.NONE, _nan_bias),
        (exporters.tflite, Scheme.NONE, _renamed_output),
    ],
)
def test_a_wrong_artifact_is_refused(
    module: Any,
    scheme: Scheme,
    edit: Edit,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = module.save

    def save(model: ir.Model, options: ExportOptions, path: Path) -> tuple[Path, ...]:
        if not options.manifest:  # the reference and the baselines stay right
            return honest(model, options, path)  # type: ignore[no-any-return]
        wrong = model.clone()
        edit(wrong)
        return honest(wrong, options, path)  # type: ignore[no-any-return]

    monkeypatch.setattr(module, "save", save)
    recipe = Recipe(quantize=scheme, latency_seconds=0, calib_samples=40, eval_samples=40)
    models = repository / "models"
    with pytest.raises(EdgecError) as caught:
        compile_model(
            str(models / "residual_cnn/model.onnx"),
            output=tmp_path / "out",
            data=models / "data/fashion_mnist.toml",
            recipe=recipe,
        )
    assert caught.value.code is Code.ARTIFACT_MISMATCH
    assert not list(tmp_path.iterdir())
