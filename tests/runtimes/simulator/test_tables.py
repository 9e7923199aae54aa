"""Published tables are read strictly, and models of one family are found by their operators."""

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.simulator.tables import families, read_operators, read_times
from runtimes.simulator.work import Kind
from tests.runtimes.simulator.devices import conv, dense

OPERATORS = """\
model,type,kind,name,macs,weights,in_el,out_el,k,stride,groups,cin,cout,ow,oh,int8
net,Convolution,pw,a,32768,512,1024,2048,1,1,1,16,32,8,8,False
net,ConvolutionDepthWise,gconv,b,8192,128,2048,1024,1,1,4,32,16,8,8,True
net,Split,free,c,0,0,1024,2048,1,1,1,0,0,8,8,False
net,Softmax,other,d,0,0,1000,1000,1,1,1,0,0,1000,1,False
net,Attention,other,e,0,0,1000,1000,1,1,1,0,0,1000,1,False
"""
TIMES = """\
device,soc,threads,powersave,run,accelerator,model,latency_ms,row_date
board,chip (A53),1,0,1,cpu,net,2.5,2024-01-01
board,chip (A53),4,0,2,cpu,net,1.0,2024-01-01
board,chip (A53),1,0,3,vulkan,net,9.0,2024-01-01
board,chip (A53),1,0,1,cpu,unknown,9.0,2024-01-01
"""


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_operators_by_model(tmp_path: Path) -> None:
    works = read_operators(table(tmp_path, OPERATORS))["net"]
    assert [work.kind for work in works] == [
        Kind.CONV,
        Kind.CONV,
        Kind.FREE,
        Kind.TRANSCENDENTAL,
        Kind.UNCOVERED,
    ]
    assert works[1].integer
    assert (works[1].groups, works[1].channels_in) == (4, 32)


def test_times_are_those_of_the_cpu_on_known_models(tmp_path: Path) -> None:
    found = read_times(table(tmp_path, TIMES), ["net"])
    assert [(s.device, s.threads, times) for s, times in found.items()] == [
        ("board", "1", {"net": 2.5}),
        ("board", "4", {"net": 1.0}),
    ]


@pytest.mark.parametrize("time", ["0", "-1", "nan", "inf", "fast"])
def test_a_time_that_is_none_is_refused_with_its_line(tmp_path: Path, time: str) -> None:
    with pytest.raises(EdgecError) as caught:
        read_times(table(tmp_path, TIMES.replace("2.5", time)), ["net"])
    assert caught.value.code is Code.DATA_UNREADABLE
    assert "line 2" in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgecError, match="macs"):
        read_operators(table(tmp_path, OPERATORS.replace(",macs,", ",work,")))


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        read_operators(tmp_path / "none.csv")
    assert caught.value.code is Code.DATA_NOT_FOUND


def test_a_family_shares_convolutions_at_any_resolution_and_precision() -> None:
    backbone = [conv(16, 32, 8), conv(32, 64, 4), conv(64, 96, 2)]
    detector = [conv(16, 32, 20), conv(32, 64, 10), conv(64, 96, 5), conv(96, 8, 5), conv(8, 8, 5)]
    quantized = [conv(16, 32, 8, integer=True), conv(32, 64, 4, integer=True)]
    other = [conv(16, 32, 8), conv(48, 64, 4), conv(64, 64, 2), dense(5, 5)]
    found = families({"a": backbone, "b": detector, "c": quantized, "d": other})
    assert found["a"] == found["b"] == found["c"] != found["d"]
