"""What holds for every runtime in the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from runtimes.protocol import LocalSession, SessionOptions
from runtimes.targets import USUAL, runtimes

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


@pytest.fixture(params=sorted(runtimes()))
def name(request: pytest.FixtureRequest) -> str:
    if reason := runtimes()[request.param].available():
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture
def path(name: str, twice: Callable[[str], Path]) -> Path:
    return twice(runtimes()[name].SUFFIXES[0])


@pytest.fixture
def session(name: str, path: Path) -> LocalSession:
    return runtimes()[name].open_session(path, SessionOptions())


@pytest.mark.parametrize("usual", [*USUAL, "torch"])
def test_is_available_here(usual: str) -> None:
    assert runtimes()[usual].available() is None


@pytest.mark.parametrize("anyone", sorted(runtimes()))
def test_says_what_to_install_or_what_is_missing(anyone: str) -> None:
    reason = runtimes()[anyone].available()
    assert reason is None or any(word in reason for word in ("pip install", "no ", "see "))


def test_interface_is_the_models(session: LocalSession) -> None:
    (x,), (y,) = session.interface.inputs, session.interface.outputs
    assert (x.name, y.name) == ("x", "y")
    assert x.numpy == y.numpy == np.float32
    assert isinstance(x.shape[0], str)
    assert isinstance(y.shape[0], str)
    assert (x.shape[1], y.shape[1]) == (3, 3)


def test_runs_any_batch_and_back(session: LocalSession) -> None:
    for rows in (X[:1], X, X[1:3], X[:1]):
        assert np.array_equal(session.run({"x": rows})["y"], 2 * rows)


def test_runs_unoptimized_and_threaded(name: str, path: Path) -> None:
    for options in (SessionOptions(optimize=False), SessionOptions(threads=2)):
        session = runtimes()[name].open_session(path, options)
        assert np.array_equal(session.run({"x": X})["y"], 2 * X)


def test_takes_arrays_that_are_not_contiguous(session: LocalSession) -> None:
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    assert not wide.flags.c_contiguous
    assert np.array_equal(session.run({"x": wide})["y"], 2 * X)


def test_bound_call_runs_repeatedly(session: LocalSession) -> None:
    call = session.bind({"x": X})
    call()
    call()
    assert np.array_equal(session.run({"x": X})["y"], 2 * X)


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ({}, "not fed"),
        ({"x": X, "z": X}, "no input 'z'"),
        ({"x": X.astype(np.float64)}, "float64"),
        ({"x": X[:, :2]}, "[4, 2]"),
        ({"x": X[0]}, "[3]"),
    ],
)
@pytest.mark.parametrize("way", ["run", "bind"])
def test_refuses_feeds_that_do_not_fit(
    session: LocalSession, feeds: dict[str, np.ndarray], said: str, way: str
) -> None:
    with pytest.raises(EdgecError) as caught:
        getattr(session, way)(feeds)
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert said in caught.value.what
    assert "x" in caught.value.expected


def test_refuses_a_file_of_another_kind(name: str, path: Path) -> None:
    path.write_bytes(b"not a model at all" * 100)
    with pytest.raises(EdgecError) as caught:
        runtimes()[name].open_session(path, SessionOptions())
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert caught.value.where == str(path)


def test_names_a_missing_file(name: str, path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        runtimes()[name].open_session(path.with_name("absent"), SessionOptions())
    assert caught.value.code is Code.MODEL_NOT_FOUND


def test_close_may_be_repeated(session: LocalSession) -> None:
    session.close()
    session.close()
