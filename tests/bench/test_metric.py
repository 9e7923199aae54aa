from __future__ import annotations

import pytest

from bench.metric import find_metric, metric_names
from compressor.errors import Code, EdgecError


def test_the_folder_is_the_table() -> None:
    known = ["top1", "top5", "auc", "f1", "spearman", "cosine", "sqnr", "agreement", "mae", "rmse"]
    assert set(known) <= set(metric_names())


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(EdgecError) as caught:
        find_metric("top11")
    assert caught.value.code is Code.RECIPE_INVALID
    assert "top1" in caught.value.expected
