import json

import pytest

from compressor import doctor
from compressor.cli.main import main
from compressor.doctor import Check, int8_instructions
from compressor.errors import ExitCode


def test_healthy_machine_passes_and_compiles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == ExitCode.OK
    checks = {check["topic"]: check for check in json.loads(capsys.readouterr().out)}
    assert {"numpy", "torch", "runtime ort", "runtime litert", "processor"} <= checks.keys()
    assert "model.onnx, model.tflite made and run" in checks["self-test"]["found"]


def test_missing_parts_are_named_with_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CORE", ("numpy", "no-such-package"))
    monkeypatch.setattr(doctor, "EXTRAS", {"no_such_extra": ("no_such_package", "dreams")})
    assert main(["doctor"]) == ExitCode.ENVIRONMENT
    lines = capsys.readouterr().out.splitlines()
    assert any("BAD  no-such-package" in ln and "pip install no-such-package" in ln for ln in lines)
    assert any("ok   no_such_package" in ln and "edgec[no_such_extra]" in ln for ln in lines)


def test_failing_self_test_fails_the_diagnosis(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = doctor._TINY_MODEL.replace("Relu", "NoSuchOperator")
    monkeypatch.setattr(doctor, "_TINY_MODEL", broken)
    assert main(["doctor"]) == ExitCode.ENVIRONMENT
    assert "BAD  self-test" in capsys.readouterr().out


def test_little_space_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_DISK", 1 << 60)
    monkeypatch.setattr(doctor, "LITTLE_MEMORY", 1 << 60)
    bad: list[Check] = [check for check in doctor.diagnose() if not check.good]
    assert [check.topic for check in bad] == ["memory", "disk"]
    assert all(check.hint for check in bad)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("flags : fpu avx2 avx512_vnni", ["avx512_vnni"]),
        ("Features : fp asimd asimddp i8mm", ["asimddp", "i8mm"]),
        ("flags : sse4_2 avx512_vnnix", []),
        ("", []),
    ],
)
def test_instructions_are_read_as_whole_words(flags: str, found: list[str]) -> None:
    assert int8_instructions(flags) == found
