"""A real ssh server on this machine, with keys and settings of its own, on a port of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_SERVER = shutil.which("sshd") or "/usr/sbin/sshd"
_START_S = 10.0


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        folder: of its keys and settings; port: where it listens; pid: its process.
        files: where the device keeps what is pushed.
    """

    folder: Path
    port: int
    pid: int
    files: Path

    def target(self, **options: object) -> str:
        """Return the target string for it."""
        chosen = {"config": self.folder / "client", "folder": self.files, **options}
        pairs = ",".join(f"{key}={value}" for key, value in chosen.items())
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port},{pairs}"

    def client(self, name: str, *, key: str = "key", known: str = "known_hosts") -> Path:
        """Write a client's configuration and return its path."""
        path = self.folder / name
        path.write_text(
            f"IdentityFile {self.folder / key}\nIdentitiesOnly yes\nIdentityAgent none\n"
            f"UserKnownHostsFile {self.folder / known}\nGlobalKnownHostsFile none\n"
            "StrictHostKeyChecking yes\n"
        )
        return path

    def sessions(self) -> list[int]:
        """Return the processes that serve connections: children of the server."""
        listing = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(word) for word in listing.stdout.split()]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the whole session; skips where Debian's openssh-server is not installed."""
    if not Path(_SERVER).exists() or shutil.which("ssh") is None:
        pytest.skip("needs sshd: apt install openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    folder.chmod(0o700)
    for name in ("host", "key", "other"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    shutil.copy(folder / "key.pub", folder / "authorized")
    port = _free_port()
    host_key = (folder / "host.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(host_key)}\n")
    (folder / "strangers").write_text("")
    (folder / "settings").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nPidFile none\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # for its separated privileges
    files = folder / "files"
    files.mkdir()
    process = subprocess.Popen(
        [_SERVER, "-D", "-e", "-f", str(folder / "settings")],
        stderr=(folder / "log").open("wb"),
    )
    try:
        _await_port(port, process)
        found = Server(folder, port, process.pid, files)
        found.client("client")
        yield found
    finally:
        process.terminate()
        process.wait()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.skip("sshd does not start here")
