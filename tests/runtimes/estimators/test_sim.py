"""Targets ``sim:<device>`` answer for real files."""

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.estimate import Tier, estimate, is_estimated
from runtimes.estimators.sim import choose_profile, targets
from runtimes.simulator.profile import find_device


def test_a_real_file(repository: Path) -> None:
    path = repository / "models" / "residual_cnn" / "model.onnx"
    found = estimate("sim:raspberry-pi-4", path)
    assert found.tier is Tier.PROFILE
    assert found.latency_ms is not None
    assert found.memory is not None
    assert found.memory.arena > 0
    assert "BSD-3-Clause" in found.sources[0]
    assert "Cortex-A72" in found.device


def test_attention_is_unknown_there(repository: Path) -> None:
    found = estimate("sim:snapdragon-888", repository / "models" / "vit" / "model.onnx")
    assert (found.tier, found.latency_ms) == (Tier.UNKNOWN, None)
    assert "no measured model" in " ".join(found.reasons)


def test_profiles_are_chosen_by_threads_and_cores() -> None:
    device = find_device("rk3588")
    for threads, cores in ((1, "big"), (1, "little"), (4, "big"), (4, "little")):
        options = {"threads": str(threads), "cores": cores}
        profile, remarks = choose_profile(device, options, "sim:rk3588")
        assert (profile.threads, profile.cores, remarks) == (threads, cores, ())


def test_what_was_not_published_is_said() -> None:
    options = {"threads": "3", "cores": "little"}
    _, remarks = choose_profile(find_device("snapdragon-888"), options, "sim:snapdragon-888")
    assert "none was published on 3" in remarks[0]
    assert "none was published on little" in remarks[1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sim:raspbery-pi-4", Code.TARGET_UNKNOWN),
        ("sim:raspberry-pi-4,thread=2", Code.RECIPE_INVALID),
        ("sim:raspberry-pi-4,threads=0", Code.RECIPE_INVALID),
        ("sim:raspberry-pi-4,cores=fast", Code.RECIPE_INVALID),
        ("sim:none.toml", Code.DATA_NOT_FOUND),
    ],
)
def test_slips_are_refused(repository: Path, text: str, code: Code) -> None:
    with pytest.raises(EdgecError) as caught:
        estimate(text, repository / "models" / "residual_cnn" / "model.onnx")
    assert caught.value.code is code


def test_targets_are_the_device_files() -> None:
    assert "sim:raspberry-pi-4" in targets()
    assert is_estimated("sim:raspberry-pi-4,threads=4")
    assert not is_estimated("litert:threads=4")
