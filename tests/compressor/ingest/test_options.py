import pytest

from compressor.errors import Code, EdgecError
from compressor.ingest.options import parse_input_shapes


def test_shapes_are_read_by_name() -> None:
    assert parse_input_shapes(["image=1,3,224,224", "ids= 1, 64"]) == {
        "image": (1, 3, 224, 224),
        "ids": (1, 64),
    }
    assert parse_input_shapes([]) == {}


@pytest.mark.parametrize(
    "setting", ["1,3", "image", "image=", "image=1,x", "image=1,-3", "=1,2", "a=0"]
)
def test_other_forms_are_refused_with_the_right_one(setting: str) -> None:
    with pytest.raises(EdgecError, match="name=1,3,224,224") as caught:
        parse_input_shapes([setting])
    assert caught.value.code is Code.USAGE
