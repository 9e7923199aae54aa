from __future__ import annotations

import pytest

from compressor.errors import Code, EdgecError
from runtimes.protocol import SessionOptions


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_are_at_least_one(threads: int) -> None:
    with pytest.raises(EdgecError) as caught:
        SessionOptions(threads=threads)
    assert caught.value.code is Code.RECIPE_INVALID
    assert str(threads) in caught.value.what
