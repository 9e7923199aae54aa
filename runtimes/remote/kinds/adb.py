"""Android devices: adb pushes the model and the user's ``benchmark_model``, and runs it there.

Google publishes the program for TFLite files (https://ai.google.dev/edge/litert/models/measurement);
it tells sums over its runs and no outputs.
"""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.protocol import require_file
from runtimes.remote.benchmark_model import failure_in, result_from
from runtimes.remote.job import DeviceFacts, DeviceResult, DeviceRun, Job, JobModel

PREFIX = "adb:"
FORM = "adb:SERIAL,benchmark=FILE"
OPTIONS = ("benchmark", "folder")
RUNTIMES = ("litert",)

_PROGRAM = "adb"
_FOLDER = "/data/local/tmp"
_SERIAL = re.compile(r"[\w.:-]+")
_QUICK_S = 60
_FACTS = (
    "getprop ro.product.manufacturer; getprop ro.product.model; getprop ro.soc.model; "
    "getprop ro.product.cpu.abi; getprop ro.build.version.release; nproc; "
    "grep MemTotal /proc/meminfo"
)
_HEAT = "cat /sys/class/thermal/thermal_zone*/temp 2>/dev/null"
_FULL = "No space left on device"
_LOST = ("device offline", "not found", "closed", "no devices", "protocol fault")


def available() -> str | None:
    """Return None when the program adb is here."""
    if shutil.which(_PROGRAM) is None:
        return "the program adb is not installed: apt install adb"
    return None


def device(text: str, address: str, options: Mapping[str, str]) -> AdbDevice:
    """Return the device with the serial number *address*.

    Options: ``benchmark`` is a ``benchmark_model`` built for the device, ``folder`` where files go.

    Raises:
        EdgecError: ``TARGET_UNKNOWN`` for the serial, ``RUNTIME_UNAVAILABLE`` without the program.
    """
    if not _SERIAL.fullmatch(address) or address.startswith("-"):
        raise EdgecError(
            Code.TARGET_UNKNOWN,
            f"'{address}' is no serial",
            where=f"target '{text}'",
            expected=FORM,
        )
    program = Path(options.get("benchmark", "")).expanduser()
    if not program.is_file():
        raise EdgecError(
            Code.RUNTIME_UNAVAILABLE,
            "there is no benchmark_model" + (f" at '{program}'" if "benchmark" in options else ""),
            where=f"target '{text}'",
            expected="the program for the device's processor",
            hint=f"download benchmark_model and name it: {FORM}",
        )
    return AdbDevice(text, address, program, options.get("folder", _FOLDER))


class AdbDevice:
    """An Android device, attached or over the network."""

    def __init__(self, target: str, serial: str, program: Path, folder: str) -> None:
        self._target = target
        self._serial = serial
        self._program = program
        self._folder = folder

    def probe(self) -> DeviceFacts:
        """Return what the device is; see ``Device``."""
        rows = [row.strip() for row in self._shell(_FACTS).splitlines()]
        maker, model, chip, abi, release, cores, memory = [*rows, *[""] * 7][:7]
        kilobytes = re.search(r"\d+", memory)
        return DeviceFacts(
            cpu=" ".join(part for part in (maker, model, f"({chip})" if chip else "") if part),
            machine=abi,
            system=f"Android {release}",
            cores=int(cores) if cores.isdecimal() else 0,
            memory_bytes=int(kilobytes[0]) << 10 if kilobytes else 0,
            runtimes={"litert": "benchmark_model"},
        )

    def run(self, job: Job) -> DeviceRun:
        """Do *job*, one model after the other; see ``Device``. Outputs are not told."""
        facts = self.probe()
        heat = [self._celsius()]
        results = []
        with self._place() as folder:
            self._push(self._program, f"{folder}/benchmark_model")
            self._shell(f"chmod 755 {folder}/benchmark_model")
            for model in job.models:
                results.append(self._measure(model, job, folder))
                heat.append(self._celsius())
        return DeviceRun(
            target=self._target,
            device=facts,
            results=tuple(results),
            celsius=tuple(value for value in heat if value is not None),
        )

    def _measure(self, model: JobModel, job: Job, folder: str) -> DeviceResult:
        require_file(model.path)
        if model.path.suffix != ".tflite":
            raise EdgecError(
                Code.RUNTIME_REFUSED,
                "benchmark_model takes TFLite files only",
                where=str(model.path),
                expected="a .tflite file",
            )
        self._push(model.path, f"{folder}/model.tflite")
        settings = {
            "graph": f"{folder}/model.tflite",
            "num_threads": job.threads,
            "use_xnnpack": str(job.optimize).lower(),
            "num_runs": job.min_rounds,
            "min_secs": job.seconds,
            "max_secs": max(2 * job.seconds, 1.0),
            "run_delay": job.pause_s or -1.0,
        }
        flags = " ".join(f"--{key}={value}" for key, value in settings.items())
        seconds = _QUICK_S + 20 * job.seconds
        text = self._shell(f"{folder}/benchmark_model {flags} 2>&1", seconds, failing=model.path)
        return result_from(text, model.path, self._target)

    @contextmanager
    def _place(self) -> Iterator[str]:
        """Make a folder of our own, and remove it even when the work fails."""
        folder = f"{self._folder.rstrip('/')}/edgec-{secrets.token_hex(6)}"
        self._shell(f"mkdir -p {shlex.quote(folder)}")
        try:
            yield shlex.quote(folder)
        finally:
            self._call(["shell", f"rm -rf {shlex.quote(folder)}"], _QUICK_S)

    def _celsius(self) -> float | None:
        texts = self._shell(f"{_HEAT}; true").split()
        values = [int(text) / 1000 for text in texts if text.lstrip("-").isdigit()]
        sane = [value for value in values if 0 < value < 150]
        return max(sane, default=None)

    def _push(self, path: Path, place: str) -> None:
        done = self._call(["push", str(path), place], _QUICK_S * 10)
        if done.returncode:
            raise self._failure(done)

    def _shell(self, command: str, seconds: float = _QUICK_S, failing: Path | None = None) -> str:
        """Return what *command* prints; *failing* is the model to name when it fails."""
        done = self._call(["shell", command], seconds)
        if done.returncode and failing is not None and not _is_ours(done):
            raise failure_in(done.stdout + done.stderr, done.returncode, failing, self._target)
        if done.returncode:
            raise self._failure(done)
        return done.stdout

    def _call(self, arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
        command = [_PROGRAM, "-s", self._serial, *arguments]
        try:
            return subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise EdgecError(
                Code.DEVICE_LOST,
                f"no answer within {seconds:g} s",
                where=f"target '{self._target}'",
                hint="see whether the device is awake and attached",
            ) from error

    def _failure(self, done: subprocess.CompletedProcess[str]) -> EdgecError:
        said = " | ".join(line.strip() for line in (done.stderr + done.stdout).splitlines()[-3:])
        where = f"target '{self._target}'"
        if _FULL in said:
            return EdgecError(Code.DISK_FULL, said, where=where, hint="free space on the device")
        hint = "adb devices lists what is attached; accept this computer's key on the device"
        return EdgecError(Code.DEVICE_UNREACHABLE, said, where=where, hint=hint)


def _is_ours(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether adb itself failed, not what it ran."""
    return any(word in done.stderr for word in _LOST) and done.stderr.startswith(("error:", "adb:"))
