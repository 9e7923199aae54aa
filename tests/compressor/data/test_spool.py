import numpy as np
import pytest

from compressor.data.spool import Spool


def test_rows_come_back_as_they_went_in() -> None:
    pieces = np.split(np.random.default_rng(0).standard_normal((10, 3, 2)), [1, 4])
    spool = Spool("x")
    for piece in pieces:
        spool.append(piece)
    assert spool.stored.shape == (10, 3, 2)
    assert spool.rows().tolist() == np.concatenate(pieces).tolist()
    assert spool.rows(4).tolist() == np.concatenate(pieces)[:4].tolist()
    assert not spool.rows().flags.writeable


def test_rows_read_earlier_stay_when_more_are_added() -> None:
    spool = Spool("x")
    spool.append(np.arange(4))
    early = spool.rows()
    spool.append(np.arange(4, 6))
    assert early.tolist() == [0, 1, 2, 3]
    assert spool.rows().tolist() == [0, 1, 2, 3, 4, 5]


def test_columns_and_other_strides_are_straightened() -> None:
    spool = Spool("x")
    spool.append(np.arange(6).reshape(2, 3).T)
    assert spool.rows().tolist() == [[0, 3], [1, 4], [2, 5]]


def test_nothing_is_nothing() -> None:
    assert Spool("x").rows().shape == (0,)
    spool = Spool("x")
    spool.append(np.empty((0, 3)))
    assert spool.rows().shape == (0, 3)


@pytest.mark.parametrize("other", [np.zeros((1, 4)), np.zeros((1, 3), np.float32)])
def test_rows_of_another_kind_are_refused(other: np.ndarray) -> None:
    spool = Spool("x")
    spool.append(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="'x' has rows"):
        spool.append(other)
