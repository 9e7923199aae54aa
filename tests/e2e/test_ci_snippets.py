"""The snippets of docs/ci.md, run as far as a shell can run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = re.compile(r"""(?:run: |- |sh '|sh -c ')((?:edgec|cat) [^'\n]*)""")

PROJECT = """
[model]
path = {model}
[data]
path = {data}
[quantize]
calib_samples = 40
[measure]
eval_samples = 100
latency_seconds = 0
[export]
output = "edgec-out"
[budgets]
size.file = "{size}"
"""


def snippets(repository: Path) -> dict[str, list[str]]:
    """Return the commands of each section that has a block of code."""
    text = (repository / "docs/ci.md").read_text()
    sections = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return {name: COMMAND.findall(body) for name, body in sections if "```" in body}


def run(commands: list[str], folder: Path) -> int:
    """Run *commands* as a CI does, which goes on with those that always run; return the status."""
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    status = 0
    for command in commands:
        if status == 0 or command.startswith("cat"):
            done = subprocess.run(
                ["sh", "-c", command], cwd=folder, env=environment, check=False, capture_output=True
            )
            status = status or done.returncode
    return status


def project(repository: Path, folder: Path, size: str) -> None:
    models = repository / "models"
    text = PROJECT.format(
        model=json.dumps(str(models / "residual_cnn/model.onnx")),
        data=json.dumps(str(models / "data/fashion_mnist.toml")),
        size=size,
    )
    (folder / "edgec.toml").write_text(text)


def test_every_kind_of_ci_compiles_and_gates(repository: Path) -> None:
    found = snippets(repository)
    assert list(found) == ["GitHub Actions", "GitLab", "Jenkins", "pre-commit"]
    for commands in found.values():
        assert any("edgec compile --recipe edgec.toml" in command for command in commands)
        assert any("edgec gate edgec-out" in command for command in commands)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["GitHub Actions", "GitLab", "Jenkins", "pre-commit"])
def test_a_kept_budget_passes_and_reports_are_there(
    repository: Path, tmp_path: Path, name: str
) -> None:
    project(repository, tmp_path, "0.5x float")
    assert run(snippets(repository)[name], tmp_path) == 0
    wanted = {
        "GitHub Actions": ["gate.md", "gate.sarif", "summary.md"],
        "GitLab": ["gate.xml"],
        "Jenkins": ["gate.xml"],
    }
    assert all((tmp_path / file).stat().st_size for file in wanted.get(name, []))


@pytest.mark.slow
def test_a_budget_that_a_later_change_breaks_stops_the_pipeline(
    repository: Path, tmp_path: Path
) -> None:
    project(repository, tmp_path, "0.5x float")
    commands = snippets(repository)["GitHub Actions"]
    assert run(commands[:1], tmp_path) == 0
    project(repository, tmp_path, "1 KB")
    assert run(commands[1:], tmp_path) == 1
    assert "**FAIL**" in (tmp_path / "summary.md").read_text()
