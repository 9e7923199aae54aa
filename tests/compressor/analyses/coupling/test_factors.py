"""A reshape is told as factors that lie in one axis before and one after."""

import pytest

from compressor.analyses.coupling.factors import Size, common_factors, resolved

N = Size(1, ("N",))


@pytest.mark.parametrize(
    ("before", "after", "factors"),
    [
        ([N, Size(12)], [N, Size(3), Size(4)], [(1, 0, 0), (3, 1, 1), (4, 1, 2)]),
        ([N, Size(4), Size(1), Size(1)], [N, Size(4)], [(1, 0, 0), (4, 1, 1)]),
        ([Size(6), Size(4)], [Size(2), Size(12)], [(2, 0, 0), (3, 0, 1), (4, 1, 1)]),
        ([N, Size(2), Size(5)], [Size(2, ("N",)), Size(5)], [(1, 0, 0), (2, 1, 0), (5, 2, 1)]),
    ],
)
def test_factors(before: list[Size], after: list[Size], factors: list[tuple[int, ...]]) -> None:
    found = common_factors(before, after)
    assert found is not None
    assert [(f.size.number, f.source, f.target) for f in found] == factors


@pytest.mark.parametrize(
    ("before", "after"),
    [([Size(6), Size(4)], [Size(8), Size(3)]), ([N, Size(4)], [Size(4), N]), ([N], [Size(3)])],
)
def test_uneven_parts_have_no_factors(before: list[Size], after: list[Size]) -> None:
    assert common_factors(before, after) is None


def test_unknown_length_follows_from_the_others() -> None:
    strange = Size(1, ("unk",))
    assert resolved([N, Size(8), Size(3)], [strange, Size(4), Size(3)])[0] == Size(2, ("N",))
    assert resolved([N, Size(8)], [strange, Size(3)])[0] == strange
    assert strange.known_as({"unk": Size(2, ("N",))}) == Size(2, ("N",))
