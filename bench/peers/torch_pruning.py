"""Pruning a CIFAR ResNet without training: edgec against torch-pruning, on the same samples.

    python bench/peers/torch_pruning.py --model M.onnx --weights W.pt --data D.toml [--shares 30 50]

*weights* is a state dict of the ResNet-20 of He et al. for CIFAR-10 with padded shortcuts (layers
``conv1``, ``bn1``, ``layer1.0.conv1``..., ``linear``), *model* the same as ONNX, *data* names the
samples. Makes an environment for the peer that shares this one's torch, which takes the network.

The peer prunes by each of its importance measures, globally and layer by layer; where tracing the
padded shortcut fails or its result does not run, the residual stream is left out, as its users do.
Its batch norms are re-estimated on the calibration samples, which helps it a lot. Prints a Markdown
table: MACs left and accuracy for each share of MACs removed, the peer's best setting for each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = "torch-pruning==1.6.1"

_PEER = '''
import itertools, json, sys, warnings
import numpy as np, torch, torch.nn.functional as F
from torch import nn
import torch_pruning as tp
warnings.filterwarnings("ignore")
weights, samples, shares = sys.argv[1], np.load(sys.argv[2]), [int(s) for s in sys.argv[3:]]

class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs - inputs
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1 or self.extra:
            side = self.extra // 2
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, side, self.extra - side))
        return F.relu(x + y)

class Net(nn.Module):
    def __init__(self, blocks=3):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        width = 16
        for number, outputs in enumerate((16, 32, 64), 1):
            stage = []
            for index in range(blocks):
                stage.append(Block(width, outputs, 2 if number > 1 and index == 0 else 1))
                width = outputs
            setattr(self, f"layer{number}", nn.Sequential(*stage))
        self.linear = nn.Linear(64, 10)
    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))

calib, x, y = (torch.from_numpy(samples[k]) for k in ("calib", "x", "y"))
example = calib[:1]

def load():
    net = Net()
    net.load_state_dict(torch.load(weights, weights_only=True))
    return net.eval()

@torch.no_grad()
def accuracy(net):
    return 100 * float((torch.cat([net(b) for b in x.split(128)]).argmax(1) == y).float().mean())

@torch.no_grad()
def reestimate(net):
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats(); m.momentum = None
    net.train()
    for b in calib.split(128): net(b)
    net.eval()

def prune(measure, whole_stream, uniform, share):
    """Remove at least *share* percent of the MACs; the smallest pruning ratio that does so."""
    base = tp.utils.count_ops_and_params(load(), example)[0]
    for ratio in np.arange(0.05, 0.98, 0.025):
        net = load()
        kept = [net.linear]
        if not whole_stream:
            kept += [net.conv1] + [m.conv2 for m in net.modules() if isinstance(m, Block)]
        pruner = tp.pruner.BasePruner(
            net, example, importance=measure(), pruning_ratio=float(ratio),
            global_pruning=not uniform, ignored_layers=kept)
        pruner.step()
        net(example)
        if tp.utils.count_ops_and_params(net, example)[0] <= (1 - share / 100) * base:
            return net, tp.utils.count_ops_and_params(net, example)[0] / base
    raise ValueError("no ratio removes enough")

imp = tp.importance
measures = {"l1": lambda: imp.GroupMagnitudeImportance(p=1),
            "l2": lambda: imp.GroupMagnitudeImportance(p=2),
            "bn scale": lambda: imp.BNScaleImportance()}
found = []
for share, (name, measure), uniform in itertools.product(shares, measures.items(), (False, True)):
    for whole in (True, False):
        try:
            net, left = prune(measure, whole, uniform, share)
            raw = accuracy(net)
            reestimate(net)
            setting = f"{name}, {'layerwise' if uniform else 'global'}"
            setting += "" if whole else ", inner channels only"
            found.append({"share": share, "setting": setting, "left": left, "raw": raw,
                          "accuracy": accuracy(net)})
            break
        except Exception as error:
            print(name, uniform, whole, type(error).__name__, str(error)[:90], file=sys.stderr)
print(json.dumps({"dense": accuracy(load()), "found": found}))
'''


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pruned model: who made it, what is left of its MACs, and its accuracy in percent."""

    share: int
    tool: str
    left: float
    accuracy: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Prune with both tools and print the table."""
    options = _options(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    python = _environment(options.work / "torch_pruning")
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        samples = _samples(options.data, options.model, Path(folder))
        dense, rows = _peer(python, options.weights, samples, options.shares)
    for share in options.shares:
        rows.append(_edgec(options.model, options.data, share, options.work))
    print(f"dense: {dense:.2f} %\n")
    print(
        "| MACs removed | tool and setting | MACs left | accuracy |\n| ---: | --- | ---: | ---: |"
    )
    for row in sorted(rows, key=lambda row: (row.share, -row.accuracy)):
        print(f"| {row.share} % | {row.tool} | {row.left:.1%} | {row.accuracy:.2f} % |")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name in ("model", "weights", "data"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "peers")
    parser.add_argument("--shares", type=int, nargs="+", default=[30, 50, 70])
    return parser.parse_args(arguments)


def _environment(folder: Path) -> Path:
    """Return the interpreter of an environment that has the peer and this one's packages."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        here = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = subprocess.run([python, "-c", here], check=True, capture_output=True, text=True)
        paths = "\n".join(path for path in sys.path if path.endswith("site-packages"))
        (Path(site.stdout.strip()) / "peer.pth").write_text(paths)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", _PACKAGE]
        subprocess.run(pip, check=True)
    return python


def _samples(data: Path, model: Path, folder: Path) -> Path:
    """Write what both tools see: calibration and evaluation samples as they are fed, and labels."""
    from compressor.dataset import open_dataset
    from compressor.source import read_source

    dataset, interface = open_dataset(data), read_source(str(model)).interface
    name = interface.inputs[0].name
    calibration = np.concatenate([b[name] for b in dataset.calibration(interface, 2000)])
    chosen = dataset.evaluation(interface, 10_000)
    path = folder / "samples.npz"
    np.savez(
        path,
        calib=calibration,
        x=np.concatenate([b[name] for b in chosen]),
        y=dataset.labels(chosen).astype(np.int64),
    )
    return path


def _peer(
    python: Path, weights: Path, samples: Path, shares: Sequence[int]
) -> tuple[float, list[Row]]:
    """Return the peer's dense accuracy and its best setting for each share."""
    command = [*map(str, (python, "-c", _PEER, weights, samples)), *map(str, shares)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    tree = json.loads(done.stdout.splitlines()[-1])
    rows = []
    for share in shares:
        tried = [found for found in tree["found"] if found["share"] == share]
        if not tried:
            continue
        best = max(tried, key=lambda found: found["accuracy"])
        setting = (
            f"torch-pruning, best of {len(tried)}: {best['setting']}, batch norms re-estimated"
        )
        rows.append(Row(share=share, tool=setting, left=best["left"], accuracy=best["accuracy"]))
    return tree["dense"], rows


def _edgec(model: Path, data: Path, share: int, work: Path) -> Row:
    """Prune with edgec as a user would, and read its report."""
    from compressor.compile import compile_model
    from compressor.pruning.budget import Budget
    from compressor.recipe import Recipe, Scheme

    budget = Budget.parse(f"macs={100 - share}%", "--prune")
    recipe = Recipe(prune=budget, quantize=Scheme.NONE, to=("onnx",), latency_seconds=0)
    made = compile_model(str(model), output=work / f"edgec-{share}", data=data, recipe=recipe)
    before, after = made.report["pruning"]["macs"]
    accuracy = made.artifacts[0].accuracy
    if accuracy is None:
        raise ValueError("the data has no labels")
    return Row(share=share, tool="edgec", left=after / before, accuracy=accuracy.artifact)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
