"""Well-known architectures as PyTorch modules: answers of ONNX Runtime, gradients everywhere.

ONNX Runtime runs the graph with its own optimiser off. `make conformance` takes all of the zoo.
"""

import numpy as np
import pytest
import torch

from compressor.source import read_source
from compressor.torch_module.module import TorchModule
from compressor.torch_module.tensors import array_of
from models.zoo.entries import Entry
from tests.conformance.test_zoo import ENTRIES
from tests.graphs import run_onnx
from tests.tolerances import ZOO_PARITY

BATCHES = (1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_module_answers_as_the_runtime_and_learns(entry: Entry) -> None:
    if not entry.installed:
        pytest.skip(f"needs pip install 'edgec[{entry.package}]'")
    source = read_source(entry.spec, entry.options)
    module = TorchModule(source.model)
    for size in BATCHES:
        feeds = entry.feeds(source.interface, batch=size, seed=size)
        found = module(*(torch.from_numpy(feeds[s.name]) for s in source.interface.inputs))
        outputs = found if isinstance(found, tuple) else (found,)
        for want, have in zip(run_onnx(source.model, feeds).values(), outputs, strict=True):
            assert array_of(have).dtype == want.dtype
            assert array_of(have).shape == want.shape
            gap = np.abs(array_of(have).astype(np.float64) - want).max(initial=0.0)
            assert gap <= ZOO_PARITY * np.abs(want).max(initial=0.0)
    real = [output for output in outputs if output.requires_grad]
    assert real, "no output depends on a parameter"
    torch.stack([output.float().sum() for output in real]).sum().backward()
    lacking = [name for name, parameter in module.named_parameters() if parameter.grad is None]
    assert lacking == []
