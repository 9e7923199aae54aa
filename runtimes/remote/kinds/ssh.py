"""Devices over ssh: the system's own program, with the user's configuration and known hosts.

One connection does all: the runner, the job and the models go in through standard input, lines come
back. Nothing weakens the checking of host keys, and no password is asked for.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.remote.conversation import Conversation, Ending
from runtimes.remote.job import DeviceFacts, DeviceRun, Job
from runtimes.remote.messages import facts_from, job_parts, raise_for, run_from, runtime_of
from runtimes.remote.wheels import wheels_for

PREFIX = "ssh://"
FORM = "ssh://user@host[:port]"
OPTIONS = ("python", "config", "folder", "wheels")
RUNTIMES = ("ort", "litert")

_PROGRAM = "ssh"
_ADDRESS = re.compile(
    r"(?:(?P<user>[\w.-]+)@)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\])(?::(?P<port>\d+))?"
)
_SETTINGS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
}
_START = 'import sys;s=sys.stdin.buffer;exec(compile(s.read(int(s.readline())),"runner","exec"))'
_NO_COMMAND = (126, 127)
_OWN_FAILURE = 255
_PATIENCE_S = 60.0
_SHOWN_LINES = 3


def available() -> str | None:
    """Return None when the program ssh is here."""
    if shutil.which(_PROGRAM) is None:
        return "the program ssh is not installed: apt install openssh-client"
    return None


def device(text: str, address: str, options: Mapping[str, str]) -> SshDevice:
    """Return the device at ``[user@]host[:port]``; ``TARGET_UNKNOWN`` for anything else.

    Options: ``python`` is the program there (python3), ``folder`` where files go (its temporary
    folder), ``config`` a configuration for ssh, ``wheels`` a folder here whose fitting wheels
    serve as packages there.
    """
    found = _ADDRESS.fullmatch(address.rstrip("/"))
    if found is None or found["host"].startswith("-"):
        raise EdgecError(
            Code.TARGET_UNKNOWN,
            f"'{address}' is no address",
            where=f"target '{text}'",
            expected=FORM,
        )
    return SshDevice(text, found.groupdict(), options)


class SshDevice:
    """A device with Python behind an ssh server."""

    def __init__(
        self, target: str, address: Mapping[str, str | None], options: Mapping[str, str]
    ) -> None:
        self._target = target
        self._address = address
        self._options = options

    def probe(self) -> DeviceFacts:
        """Return what the device is; see ``Device``."""
        with self._conversation() as talk:
            facts = facts_from(self._hear(talk))
            talk.send([b"{}\n"])
            return facts

    def run(self, job: Job) -> DeviceRun:
        """Do *job*; see ``Device``."""
        with self._conversation() as talk:
            facts = facts_from(self._hear(talk))
            wheels = wheels_for(self._options.get("wheels"), facts)
            kinds = {runtime_of(model.path) for model in job.models}
            for missing in sorted(kinds - facts.runtimes.keys() if not wheels else ()):
                raise EdgecError(
                    Code.RUNTIME_UNAVAILABLE,
                    f"the device has no package for the target {missing}",
                    where=f"target '{self._target}'",
                    hint="install it there, or push wheels: ,wheels=FOLDER",
                )
            talk.send(job_parts(job, wheels, self._options.get("folder", "")))
            answer = self._hear(talk, seconds=_patience(job))
            raise_for(answer, self._target, job)
            return run_from(answer, self._target, facts, job)

    def _conversation(self) -> Conversation:
        runner = Path(__file__).parent.parent / "_runner.py"
        source = runner.read_bytes()
        talk = Conversation(self._command())
        talk.send([f"{len(source)}\n".encode(), source])
        return talk

    def _command(self) -> list[str]:
        user, port = self._address["user"], self._address["port"]
        host = (self._address["host"] or "").strip("[]")
        settings = [part for key, value in _SETTINGS.items() for part in ("-o", f"{key}={value}")]
        if "config" in self._options:
            settings += ["-F", str(Path(self._options["config"]).expanduser())]
        if port:
            settings += ["-p", port]
        python = shlex.quote(self._options.get("python", "python3"))
        return [
            _PROGRAM,
            *settings,
            "-T",
            "--",
            f"{user}@{host}" if user else host,
            f"exec {python} -u -c {shlex.quote(_START)}",
        ]

    def _hear(self, talk: Conversation, seconds: float = _PATIENCE_S) -> Mapping[str, object]:
        """Return the next answer, or raise what the end of the connection means."""
        answer = talk.hear(seconds)
        if not isinstance(answer, Ending):
            return answer
        said = " | ".join(answer.said[-_SHOWN_LINES:])
        where = f"target '{self._target}'"
        if answer.heard_before or answer.status is None:
            silent = answer.status is None
            what = f"no answer within {seconds:g} s" if silent else f"the connection ended: {said}"
            raise EdgecError(
                Code.DEVICE_LOST, what, where=where, hint="see whether the device is up; run again"
            )
        if answer.status in _NO_COMMAND:
            raise EdgecError(
                Code.RUNTIME_UNAVAILABLE,
                f"the device has no such Python: {said}",
                where=where,
                expected="Python 3.8 or later with numpy and a runtime",
                hint="install python3 there, or name another: ,python=/path/to/python3",
            )
        if answer.status == _OWN_FAILURE:
            raise EdgecError(Code.DEVICE_UNREACHABLE, said, where=where, hint=_advice(said))
        raise EdgecError(Code.RUNTIME_CRASHED, f"Python failed there: {said}", where=where)


def _advice(said: str) -> str:
    if "Host key verification failed" in said or "HOST IDENTIFICATION" in said:
        return "connect once by hand (ssh HOST), compare the key's fingerprint, and accept it"
    if "Permission denied" in said:
        return "install your public key there: ssh-copy-id HOST; no password is asked for here"
    return "try it by hand: ssh HOST true"


def _patience(job: Job) -> float:
    """Return how long the answer may take: timing, and plenty for loading and all samples."""
    return _PATIENCE_S + 10 * job.seconds + 2 * job.pause_s * job.max_rounds + 600
