from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

import pytest

from compressor.errors import Code, EdgecError
from compressor.settings import plain, setting, settings_of


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Share:
    percent: float

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        if not text.endswith("%"):
            raise EdgecError(Code.RECIPE_INVALID, "no percent sign", where=where)
        return cls(float(text[:-1]))

    def __str__(self) -> str:
        return f"{self.percent:g}%"


@dataclass(frozen=True, kw_only=True)
class Paint:
    color: Color = setting(Color.RED, key="paint.color", help="Which.")
    layers: int = setting(2, key="paint.layers", help="How many.")
    thickness: float = setting(1.0, key="paint.thickness", help="How thick.")
    glossy: bool = setting(False, key="paint.glossy", help="Whether it shines.")
    walls: tuple[str, ...] = setting((), key="where.walls", help="Where.")
    cover: Share | None = setting(None, key="paint.cover", help="How much.")
    note: str = "no setting"


SETTINGS = {known.name: known for known in settings_of(Paint)}


def test_only_settings_are_listed_in_the_order_of_fields() -> None:
    assert list(SETTINGS) == ["color", "layers", "thickness", "glossy", "walls", "cover"]
    assert SETTINGS["walls"].key == "where.walls"
    assert SETTINGS["color"].option == "--color"
    assert SETTINGS["layers"].default == 2


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("color", "blue", Color.BLUE),
        ("layers", 3, 3),
        ("thickness", 2, 2.0),
        ("thickness", 0.5, 0.5),
        ("glossy", True, True),
        ("walls", "north, south", ("north", "south")),
        ("walls", ["a,b", "c"], ("a,b", "c")),  # a list is not split: names may hold commas
        ("cover", "50%", Share(50.0)),
    ],
)
def test_values_are_read_by_type(name: str, given: object, value: object) -> None:
    found = SETTINGS[name].parse(given, "here")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("color", "rad", "did you mean 'red'?"),
        ("layers", "3", "an integer"),
        ("layers", True, "an integer"),
        ("layers", 2.0, "an integer"),
        ("thickness", True, "a number"),
        ("glossy", "yes", "true or false"),
        ("walls", [1], "names"),
        ("walls", 7, "names"),
        ("cover", 5, "text"),
    ],
)
def test_other_values_are_refused(name: str, given: Any, expected: str) -> None:
    with pytest.raises(EdgecError) as caught:
        SETTINGS[name].parse(given, "[paint] line 3")
    assert caught.value.code is Code.RECIPE_INVALID
    assert caught.value.where == "[paint] line 3"
    assert expected in caught.value.expected


def test_plain_values_are_json() -> None:
    assert [plain(v) for v in (Color.BLUE, ("a",), None, 3, Share(5.0))] == [
        "blue",
        ["a"],
        None,
        3,
        "5%",
    ]
