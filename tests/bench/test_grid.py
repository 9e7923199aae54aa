import csv
import io

from bench.grid import comma_separated, filled, markdown, rows
from tests.bench.cells import estimated, failed, timed

CELLS = (timed(), timed("b.onnx", ratio=0.5), estimated(), failed())


def test_rows_say_what_was_measured_and_how_sure_it_is() -> None:
    first, second, third, fourth = rows(CELLS)
    assert (first["ms"], first["95 %"]) == ("1.50", "1.40..1.60")
    assert (first["p90"], first["p99"], first["KB"]) == ("1.89", "1.98", "12.3")
    assert (first["load ms"], first["first ms"], first["MB"]) == ("12.3", "4.56", "20.0")
    assert second["ratio"].startswith("0.500x")
    assert second["verdict"] == "noisy"
    assert third["verdict"] == "estimated: profile"
    assert third["95 %"] == "12.0..30.0 (90 %)"
    assert fourth["verdict"] == "EC603: no"


def test_columns_that_nothing_fills_are_left_out() -> None:
    assert "quality" not in filled(rows(CELLS))
    assert filled(rows((failed(),))) == ["model", "target", "verdict"]


def test_markdown_keeps_its_columns() -> None:
    lines = markdown(CELLS).splitlines()
    assert len(lines) == 2 + len(CELLS)
    assert lines[2].startswith("| a\\|b.onnx | ort |")
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_csv_is_read_back() -> None:
    read = list(csv.DictReader(io.StringIO(comma_separated(CELLS))))
    assert [row["model"] for row in read] == [cell.model for cell in CELLS]
    assert float(read[0]["ms"]) == 1.5
