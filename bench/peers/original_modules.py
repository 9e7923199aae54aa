"""The module made of the graph against the module that the graph was read from, one thread.

    python bench/peers/original_modules.py [FILE.py:FACTORY ...]

Prints the largest difference of the outputs, relative to their size, the medians of both and their
ratio; rounds are interleaved. Without arguments: EfficientNet-Lite0, which the test extra installs.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compressor.source import read_source
from compressor.torch_module.module import TorchModule

_ROUNDS, _WARM = 30, 3
_DEFAULT = ("examples/efficientnet_lite0.py:build",)


def original(spec: str) -> torch.nn.Module:
    """Return the module that the factory *spec* makes, for inference."""
    file, name = spec.rsplit(":", 1)
    loaded = importlib.util.spec_from_file_location(Path(file).stem, file)
    if loaded is None or loaded.loader is None:
        raise SystemExit(f"cannot import {file}")
    module = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(module)
    made: torch.nn.Module = getattr(module, name)()
    return made.eval()


def milliseconds(call: Callable[[], Any]) -> float:
    """Return how long *call* takes."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def compare(spec: str) -> None:
    """Print one line about the model *spec*."""
    source = read_source(spec)
    made, given = TorchModule(source.model), original(spec)
    inputs = [torch.randn(i.concrete()) for i in source.interface.inputs]
    with torch.inference_mode():
        want, have = given(*inputs), made(*inputs)
        gap = float((have - want).abs().max() / want.abs().max())
        rows = [
            (milliseconds(lambda: given(*inputs)), milliseconds(lambda: made(*inputs)))
            for _ in range(_WARM + _ROUNDS)
        ]
    first, second = np.median(np.array(rows[_WARM:]), axis=0)
    print(f"{spec}: apart {gap:.1e}, original {first:.2f} ms, module {second:.2f} ms, "
          f"ratio {second / first:.2f}")  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    for argument in sys.argv[1:] or _DEFAULT:
        compare(argument)
