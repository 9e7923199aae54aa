import pytest

from compressor.passes.fold_batchnorm import FoldBatchnorm
from compressor.passes.protocol import Changes, Skipped, pass_name
from compressor.passes.remove_unused import RemoveUnused


@pytest.mark.parametrize(
    ("changes", "modified"),
    [
        (Changes(), False),
        (Changes(counts={"a": 0, "b": 0}), False),
        (Changes(counts={"a": 0, "b": 1}), True),
        (Changes(counts={"a": -1}), True),
        (Changes(skipped=(Skipped(node="n", reason="why"),)), False),
    ],
)
def test_modified_means_that_something_was_counted(changes: Changes, modified: bool) -> None:
    assert changes.modified is modified


def test_name_is_the_file_name() -> None:
    assert pass_name(FoldBatchnorm()) == "fold_batchnorm"
    assert pass_name(RemoveUnused()) == "remove_unused"
