"""Losses as users write them."""

import pytest

from compressor.errors import Code, EdgecError
from compressor.points import Points


@pytest.mark.parametrize("text", ["0.5 pt", "0.5pt", "0.5 points", " 0.5 ", "0.5 pts"])
def test_points_are_read_with_and_without_their_unit(text: str) -> None:
    assert Points.parse(text, "--max-drop") == Points(value=0.5)


def test_points_are_read_as_they_are_written() -> None:
    assert Points.parse(str(Points(value=0.25)), "") == Points(value=0.25)


@pytest.mark.parametrize("text", ["", "half", "-1 pt", "nan", "inf", "1 %"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(EdgecError) as caught:
        Points.parse(text, "--max-drop")
    assert caught.value.code is Code.RECIPE_INVALID
