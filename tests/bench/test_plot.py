import xml.etree.ElementTree as ET

import pytest

from bench.plot import draw
from compressor.errors import Code, EdgecError
from tests.bench.cells import estimated, failed, timed


def test_a_point_for_each_cell_with_a_latency() -> None:
    content = draw((timed(), timed("b<c>.onnx", "litert"), estimated(), failed()))
    tree = ET.fromstring(content)
    titles = [title.text or "" for title in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 3
    assert any("b<c>.onnx on litert: 1.50 ms" in title for title in titles)


def test_the_faster_stands_lower_and_the_smaller_further_left() -> None:
    tree = ET.fromstring(draw((timed(), estimated())))
    marks = [c for c in tree.iter("{http://www.w3.org/2000/svg}circle") if list(c)]
    (x1, y1), (x2, y2) = ((float(m.attrib["cx"]), float(m.attrib["cy"])) for m in marks)
    assert x1 > x2  # 12 KB against 1 KB
    assert y1 > y2  # 1.5 ms against 20 ms: up is slow


@pytest.mark.parametrize(("cells", "suffix"), [((failed(),), ".svg"), ((timed(),), ".png")])
def test_what_cannot_be_drawn(cells: tuple, suffix: str) -> None:
    with pytest.raises(EdgecError) as caught:
        draw(cells, suffix)
    assert caught.value.code is Code.USAGE
