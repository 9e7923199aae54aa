from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.memory import measure_memory

FEEDS = {"x": np.zeros((1, 4), np.float32)}


def test_peak_holds_the_models_buffers(make_onnx: Callable[[str, str], Path]) -> None:
    """A model that expands to 128 MB adds that much, one that does not adds far less."""

    def added(elements: int) -> int:
        path = make_onnx(
            "expand",
            f"""<ir_version: 10, opset_import: ["" : 21]>
            g (float[1, 4] x) => (float[n, 4] y) <int64[2] dims = {{{elements // 4}, 4}}> {{
                y = Expand(x, dims)
            }}""",
        )
        memory = measure_memory("ort", path, FEEDS)
        assert memory.peak_bytes - memory.bare_bytes == memory.added_bytes > 0
        return memory.added_bytes

    large = 32_000_000
    small = added(4)
    assert added(large) - small >= 4 * large > small
