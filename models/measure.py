"""Measure the shipped reference models and print the figures of their cards as a table.

Run from the repository root: `python -m models.measure`, or with names to measure only those.
"""

import argparse
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from models.fashion_mnist import DEFAULT_FOLDER, DatasetError, Split, load_test, normalise
from models.macs import count_macs

FOLDER = Path(__file__).parent
NAMES = ("residual_cnn", "mobilenet", "vit", "gru")
COMPARED_BATCHES = (1, 64)
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a model's card states."""

    name: str
    parameters: int
    macs: int
    accuracy_full: float
    accuracy_shipped: float
    difference: float
    file_bytes: int


def measure(name: str, test: Split, shipped: Split) -> Figures:
    """Run the model's ONNX file on both splits and compare it with the torch model."""
    path = FOLDER / name / "model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    model = load_torch_model(name)
    return Figures(
        name=name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        macs=count_macs(ir.load(path)),
        accuracy_full=accuracy(session, test),
        accuracy_shipped=accuracy(session, shipped),
        difference=largest_difference(session, model, test.images),
        file_bytes=path.stat().st_size,
    )


def accuracy(session: onnxruntime.InferenceSession, split: Split) -> float:
    """Return the share of images whose largest logit is their label's."""
    hits = 0
    for start in range(0, len(split.labels), BATCH):
        chosen = slice(start, start + BATCH)
        logits = _logits(session, normalise(split.images[chosen]))
        hits += int((logits.argmax(axis=1) == split.labels[chosen]).sum())
    return hits / len(split.labels)


def largest_difference(
    session: onnxruntime.InferenceSession, model: nn.Module, images: NDArray[np.uint8]
) -> float:
    """Return the largest difference of a logit between ONNX Runtime and torch, at two batches."""
    differences = []
    for batch in COMPARED_BATCHES:
        image = normalise(images[:batch])
        with torch.inference_mode():
            expected = model(torch.from_numpy(image)).numpy()
        differences.append(np.abs(_logits(session, image) - expected).max())
    return float(max(differences))


def load_torch_model(name: str) -> nn.Module:
    """Build the named architecture with its trained weights, in evaluation mode."""
    architecture = importlib.import_module(f"models.{name}.architecture")
    model: nn.Module = architecture.build()
    model.load_state_dict(torch.load(FOLDER / name / "weights.pt", weights_only=True))
    return model.eval()


def load_shipped() -> Split:
    """Read the 2,000 test images that ship beside the models."""
    with np.load(FOLDER / "data" / "fashion_mnist.npz") as arrays:
        return Split(images=arrays["x"][..., 0], labels=arrays["y"])


def main() -> None:
    """Read the command line, measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", type=_known_name, metavar="NAME")
    parser.add_argument("--dataset", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER")
    options = parser.parse_args()
    try:
        test = load_test(options.dataset)
    except DatasetError as error:
        sys.exit(f"error: {error}")
    shipped = load_shipped()
    print("| model | parameters | MACs | top-1, 10,000 | top-1, 2,000 | to torch | bytes |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in options.names or NAMES:
        print(_row(measure(name, test, shipped)))


def _known_name(name: str) -> str:
    if name not in NAMES:
        message = f"no model is named {name!r}; there are {', '.join(NAMES)}"
        raise argparse.ArgumentTypeError(message)
    return name


def _logits(
    session: onnxruntime.InferenceSession, image: NDArray[np.float32]
) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = session.run(["logits"], {"image": image})[0]
    return logits


def _row(figures: Figures) -> str:
    cells = (
        figures.name,
        f"{figures.parameters:,}",
        f"{figures.macs:,}",
        f"{figures.accuracy_full:.2%}",
        f"{figures.accuracy_shipped:.2%}",
        f"{figures.difference:.1e}",
        f"{figures.file_bytes:,}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
