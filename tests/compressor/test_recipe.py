import dataclasses
import json
from typing import Any

import pytest

from compressor.errors import Code, EdgecError
from compressor.recipe import EXPORTERS, RANGE_METHODS, LedgerDetail, Recipe, Scheme


def refused(**settings: Any) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        Recipe(**settings)
    assert caught.value.code is Code.RECIPE_INVALID
    return caught.value


def test_defaults_are_valid_and_frozen() -> None:
    recipe = Recipe()
    assert recipe.quantize is Scheme.INT8
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.quantize = Scheme.NONE  # type: ignore[misc]


@pytest.mark.parametrize(
    ("settings", "option", "hint"),
    [
        ({"to": ("onx",)}, "--to", "onnx"),
        ({"to": ("onnx", "tflit")}, "--to", "tflite"),
        ({"range_method": "percentle"}, "--range-method", "percentile"),
        ({"range_method": "affine"}, "--range-method", "mse"),
        ({"onnx_activations": "uint16"}, "--onnx-activations", "uint8"),
        ({"to": ()}, "--to", "onnx"),
        ({"calib_samples": 0}, "--calib-samples", "positive"),
        ({"eval_samples": -1}, "--eval-samples", "positive"),
        ({"latency_seconds": -0.5}, "--latency-seconds", "0"),
    ],
)
def test_bad_setting_names_the_option_and_what_is_right(
    settings: dict[str, Any], option: str, hint: str
) -> None:
    error = refused(**settings)
    assert error.where == option
    assert hint in error.expected


@pytest.mark.parametrize("method", list(RANGE_METHODS))
@pytest.mark.parametrize("exporter", list(EXPORTERS))
def test_whatever_lies_in_the_folders_is_valid(method: str, exporter: str) -> None:
    Recipe(range_method=method, to=(exporter,))


def test_json_is_plain() -> None:
    recipe = Recipe(quantize=Scheme.FP16, keep_float=("a", "b"), ledger=LedgerDetail.FULL)
    found = recipe.to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["quantize"] == "fp16"
    assert found["keep_float"] == ["a", "b"]
    assert set(found) == {field.name for field in dataclasses.fields(Recipe)}
