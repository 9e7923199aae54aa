import numpy as np
import pytest

from compressor.passes.fold_pad import FoldPad
from tests.graphs import apply, assert_same, gaussian, graph_of, lines_of, origins

WEIGHT = gaussian(4, 3, 3, 3)


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def fold(pad: str, conv: str = "Conv(p, w)", **constants: np.ndarray) -> list[str]:
    """Run the pass on ``p = pad; y = conv``, assert the same results, return the lines."""
    model = graph_of(
        f"""g (float[N,3,6,6] x) => (float[N,4,H,W] y) {{
            p = {pad}
            y = {conv}
        }}""",
        w=WEIGHT,
        **constants,
    )
    before = model.clone()
    [changes] = apply(model, FoldPad())
    assert_same(before, model, terms=27)
    assert changes.counts == {"pads folded": len(before.graph) - len(model.graph)}
    return lines_of(model)


def test_symmetric() -> None:
    lines = fold("Pad(x, pads)", pads=ints(0, 0, 1, 1, 0, 0, 1, 1))
    assert lines == ["y = Conv[auto_pad=NOTSET, pads=[1, 1, 1, 1]](x, w)"]


def test_asymmetric_adds_to_the_own_pads() -> None:
    lines = fold(
        "Pad(x, pads, zero)",
        "Conv<pads=[0,1,2,0], strides=[2,2]>(p, w)",
        pads=ints(0, 0, 1, 0, 0, 0, 2, 3),
        zero=np.float32(0),
    )
    assert lines == ["y = Conv[auto_pad=NOTSET, pads=[1, 1, 4, 3], strides=[2, 2]](x, w)"]


def test_auto_pad_valid_becomes_explicit() -> None:
    lines = fold("Pad(x, pads)", 'Conv<auto_pad="VALID">(p, w)', pads=ints(0, 0, 1, 1, 0, 0, 1, 1))
    assert lines == ["y = Conv[auto_pad=NOTSET, pads=[1, 1, 1, 1]](x, w)"]


@pytest.mark.parametrize(
    ("pad", "constants"),
    [
        ("Pad(x, pads, value)", {"value": np.float32(1)}),
        ('Pad<mode="edge">(x, pads)', {}),
        ('Pad<mode="reflect">(x, pads)', {}),
        ("Pad(x, pads)", {"pads": ints(0, 0, -1, 1, 0, 0, 1, 1)}),
        ("Pad(x, pads)", {"pads": ints(1, 0, 1, 1, 0, 0, 1, 1)}),
        ("Pad(x, pads)", {"pads": ints(0, 0, 1, 1, 0, 0, -1, 0)}),
    ],
)
def test_other_padding_stays(pad: str, constants: dict[str, np.ndarray]) -> None:
    constants = {"pads": ints(0, 0, 1, 1, 0, 0, 1, 1), **constants}
    lines = fold(pad, **constants)
    assert [line.split(" = ")[1].split("(")[0].split("[")[0] for line in lines] == ["Pad", "Conv"]


def test_padded_channels_stay() -> None:
    lines = fold(
        "Pad(x, pads)", "Conv(p, v)", pads=ints(0, 1, 1, 1, 0, 0, 1, 1), v=gaussian(4, 4, 3, 3)
    )
    assert len(lines) == 2


@pytest.mark.parametrize("axes", [ints(2, 3), ints(-1, -2)])
def test_axes_are_respected(axes: np.ndarray) -> None:
    lines = fold("Pad(x, pads, , axes)", pads=ints(1, 2, 3, 4), axes=axes)
    top, left, bottom, right = (1, 2, 3, 4) if axes[0] == 2 else (2, 1, 4, 3)
    assert lines == [f"y = Conv[auto_pad=NOTSET, pads=[{top}, {left}, {bottom}, {right}]](x, w)"]


def test_axes_outside_the_image_stay() -> None:
    lines = fold("Pad(x, pads, , axes)", pads=ints(1, 1), axes=ints(0))
    assert len(lines) == 2


def test_same_padded_convolution_stays() -> None:
    lines = fold(
        "Pad(x, pads)", 'Conv<auto_pad="SAME_UPPER">(p, w)', pads=ints(0, 0, 1, 1, 0, 0, 1, 1)
    )
    assert len(lines) == 2


def test_pool_is_not_given_the_pads() -> None:
    model = graph_of(
        """g (float[N,3,6,6] x) => (float[N,3,H,W] y) {
            p = Pad(x, pads)
            y = MaxPool<kernel_shape=[2,2]>(p)
        }""",
        pads=ints(0, 0, 1, 1, 0, 0, 1, 1),
    )
    [changes] = apply(model, FoldPad())
    assert not changes.modified
    assert len(model.graph) == 2


def test_all_consumers_or_none() -> None:
    text = """g (float[N,3,6,6] x) => (float[N,4,H,W] y, float[N,{0},H,W] z) {{
        p = Pad(x, pads)
        y = Conv(p, w)
        z = {1}
    }}"""
    pads = ints(0, 0, 1, 1, 0, 0, 1, 1)
    both = graph_of(text.format(4, "Conv<strides=[2,2]>(p, w)"), w=WEIGHT, pads=pads)
    before = both.clone()
    apply(both, FoldPad())
    assert_same(before, both, terms=27)
    assert lines_of(both) == [
        "y = Conv[auto_pad=NOTSET, pads=[1, 1, 1, 1]](x, w)",
        "z = Conv[auto_pad=NOTSET, pads=[1, 1, 1, 1], strides=[2, 2]](x, w)",
    ]
    assert origins(both)["y"] == ("n0", "n1")
    mixed = graph_of(text.format(3, "Relu(p)"), w=WEIGHT, pads=pads)
    [changes] = apply(mixed, FoldPad())
    assert not changes.modified


def test_padded_graph_output_stays() -> None:
    model = graph_of(
        """g (float[N,3,6,6] x) => (float[N,3,8,8] p, float[N,4,H,W] y) {
            p = Pad(x, pads)
            y = Conv(p, w)
        }""",
        w=WEIGHT,
        pads=ints(0, 0, 1, 1, 0, 0, 1, 1),
    )
    [changes] = apply(model, FoldPad())
    assert not changes.modified


def test_chain_of_pads_folds_whole() -> None:
    model = graph_of(
        """g (float[N,3,6,6] x) => (float[N,4,H,W] y) {
            p = Pad(x, one)
            q = Pad(p, two)
            y = Conv(q, w)
        }""",
        w=WEIGHT,
        one=ints(0, 0, 1, 0, 0, 0, 1, 0),
        two=ints(0, 0, 0, 2, 0, 0, 0, 2),
    )
    before = model.clone()
    apply(model, FoldPad())
    assert_same(before, model, terms=27)
    assert lines_of(model) == ["y = Conv[auto_pad=NOTSET, pads=[1, 2, 1, 2]](x, w)"]


def test_pads_fed_at_run_time_stay() -> None:
    model = graph_of(
        """g (float[N,3,6,6] x, int64[8] pads) => (float[N,4,H,W] y) {
            p = Pad(x, pads)
            y = Conv(p, w)
        }""",
        w=WEIGHT,
    )
    [changes] = apply(model, FoldPad())
    assert not changes.modified


def test_one_dimensional_convolution() -> None:
    model = graph_of(
        """g (float[N,3,9] x) => (float[N,4,L] y) {
            p = Pad(x, pads)
            y = Conv(p, w)
        }""",
        w=gaussian(4, 3, 3),
        pads=ints(0, 0, 2, 0, 0, 0),
    )
    before = model.clone()
    apply(model, FoldPad())
    assert_same(before, model, terms=9)
    assert lines_of(model) == ["y = Conv[auto_pad=NOTSET, pads=[2, 0]](x, w)"]
