import numpy as np
import pytest

from compressor.passes.merge_movement import MergeMovement
from compressor.passes.remove_unused import RemoveUnused
from tests.graphs import apply, assert_same, graph_of, lines_of


def merged(
    body: str, *, rank: int = 4, source: str = "N,3,5,4", **targets: list[int]
) -> tuple[list[str], int]:
    constants = {name: np.array(dims, np.int64) for name, dims in targets.items()}
    signature = f"g (float[{source}] x) => (float[{','.join('abcdef'[:rank])}] y)"
    model = graph_of(f"{signature} {{ {body} }}", **constants)
    before = model.clone()
    changes = apply(model, MergeMovement(), RemoveUnused())[0]
    assert_same(before, model)
    return lines_of(model), changes.counts["transpositions merged with reshapes"]


BODY = "r = Reshape(x, rows) t = Transpose<perm=[0,2,1]>(r) b = Reshape(t, back) y = Abs(b)"


def test_axes_that_are_merged_and_split_again_are_turned_by_themselves() -> None:
    lines, count = merged(BODY, rows=[-1, 5, 4], back=[-1, 3, 4, 5])
    assert count == 1
    assert lines == ["b = Transpose[perm=[0, 1, 3, 2]](x)", "y = Abs(b)"]


def test_all_groups_may_be_merged() -> None:
    body = BODY.replace("[0,2,1]", "[1,0]")
    lines, count = merged(body, rows=[-1, 20], back=[5, 4, -1, 3])
    assert count == 1
    assert "perm=[2, 3, 0, 1]" in lines[0]


def test_axes_of_length_one_do_not_matter() -> None:
    _, count = merged(BODY, source="N,1,5,4", rows=[-1, 5, 4], back=[-1, 1, 4, 5])
    assert count == 1


@pytest.mark.parametrize(
    ("rows", "back"),
    [
        ([-1, 5, 4], [-1, 3, 2, 2, 5]),  # an axis is split in two
        ([-1, 10, 2], [-1, 3, 2, 10]),  # the first reshape cuts across axes
        ([-1, 5, 4], [-1, 5, 4, 3]),  # the second does
    ],
)
def test_reshapes_that_mix_axes_stay(rows: list[int], back: list[int]) -> None:
    _, count = merged(BODY, rank=len(back), rows=rows, back=back)
    assert count == 0


def test_what_others_read_stays() -> None:
    body = BODY.replace("y = Abs(b)", "s = ReduceSum<keepdims=0>(t) z = Abs(b) y = Add(z, s)")
    _, count = merged(body, rows=[-1, 5, 4], back=[-1, 3, 4, 5])
    assert count == 0
