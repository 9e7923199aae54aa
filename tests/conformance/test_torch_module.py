"""Every operator test of the standard through the PyTorch module.

Where ONNX Runtime gives what the standard expects, so must the module made of the canonical graph.
`make conformance` runs all of them.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from compressor.errors import Code, EdgecError
from compressor.source import read_source
from compressor.torch_module.module import TorchModule
from compressor.torch_module.tensors import array_of, tensor_of
from tests.conformance.nodes import Array, Case, cases, differences, runtime_passes

_EVERY = 1 if os.environ.get("EDGEC_CONFORMANCE") == "full" else 15

# What the module refuses of what ONNX Runtime can run, and why.
REFUSED: Mapping[str, str] = {
    r"ai_onnx_ml_.*": "trees and encoders are no layers",
    r"(string|strnormalizer|regex|tfidf|equal_string).*": "tensors hold no text",
    r"training_dropout.*": "random numbers",
}


def answers_of(case: Case, folder: Path) -> dict[str, Array] | EdgecError:
    path = folder / "case.onnx"
    path.write_bytes(case.model.SerializeToString())
    try:
        source = read_source(str(path))
    except EdgecError as error:
        pytest.skip(f"refused when read: {error.what}")
    try:
        module = TorchModule(source.model)
    except EdgecError as error:
        return error
    feeds = [tensor_of(case.feeds[spec.name]) for spec in source.interface.inputs]
    with torch.no_grad():
        outputs = module(*feeds)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    names = [spec.name for spec in source.interface.outputs]
    return {name: array_of(tensor) for name, tensor in zip(names, outputs, strict=True)}


@pytest.mark.parametrize("name", list(cases())[::_EVERY])
def test_operator(name: str, tmp_path: Path) -> None:
    case = cases()[name]
    if not runtime_passes(case):
        pytest.skip("ONNX Runtime itself does not pass this test")
    answers = answers_of(case, tmp_path)
    if isinstance(answers, EdgecError):
        assert answers.code is Code.MODEL_UNSUPPORTED
        assert any(re.fullmatch(pattern, name) for pattern in REFUSED), answers
        return
    assert not differences(case, answers)
