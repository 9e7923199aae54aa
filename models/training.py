"""The training run that all reference models share.

Cross entropy with label smoothing, AdamW, and a one-cycle learning rate. The weights after the
last step are kept: no checkpoint is chosen by its test accuracy.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.augmentation import shift_and_flip
from models.fashion_mnist import DEFAULT_FOLDER, MEAN, STD, DatasetError, Split, load_train
from models.onnx_export import Exporter, export_onnx

THREADS = 2
SEED = 1


@dataclass(frozen=True, kw_only=True)
class HyperParameters:
    """What distinguishes one model's training from another's."""

    epochs: int
    peak_learning_rate: float
    weight_decay: float
    batch_size: int = 128
    label_smoothing: float = 0.1
    bfloat16: bool = True
    exporter: Exporter = Exporter.DYNAMO


def main(folder: Path, build: Callable[[], nn.Module], hyper: HyperParameters) -> None:
    """Train on the command line's data set; write `weights.pt` and `model.onnx` to `folder`."""
    parser = argparse.ArgumentParser(description=f"Train the model in {folder.name}.")
    parser.add_argument("--dataset", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=folder, metavar="FOLDER")
    parser.add_argument("--epochs", type=int, default=hyper.epochs)
    options = parser.parse_args()
    try:
        split = load_train(options.dataset)
    except DatasetError as error:
        sys.exit(f"error: {error}")
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    model = build()
    train(model, split, replace(hyper, epochs=options.epochs))
    save_weights(model, options.output / "weights.pt")
    export_onnx(model, options.output / "model.onnx", hyper.exporter)


def train(model: nn.Module, split: Split, hyper: HyperParameters) -> None:
    """Train `model` in place on `split` and leave it in evaluation mode."""
    _arrange_kernels(model.train(), torch.channels_last)
    steps = len(split.images) // hyper.batch_size
    optimizer = _optimizer(model, hyper)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, hyper.peak_learning_rate, epochs=hyper.epochs, steps_per_epoch=steps
    )
    generator = torch.Generator().manual_seed(SEED)
    for epoch in range(hyper.epochs):
        start, total = time.monotonic(), 0.0
        for images, labels in _batches(split, hyper.batch_size, generator):
            with torch.autocast("cpu", torch.bfloat16, enabled=hyper.bfloat16):
                logits = model(images)
            loss = functional.cross_entropy(
                logits.float(), labels, label_smoothing=hyper.label_smoothing
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - start
        progress = f"epoch {epoch + 1}/{hyper.epochs}"
        print(f"{progress}: loss {total / steps:.4f}, {seconds:.0f} s", flush=True)
    # The exporter writes a longer graph around pooling for a model in channels-last order.
    _arrange_kernels(model.eval(), torch.contiguous_format)


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the state dict to `path`, whole or not at all."""
    unfinished = path.with_name(path.name + ".part")
    torch.save(dict(model.state_dict()), unfinished)
    unfinished.replace(path)


def _optimizer(model: nn.Module, hyper: HyperParameters) -> torch.optim.Optimizer:
    """Decay matrices and kernels, not biases and the scales of norms."""
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": hyper.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=hyper.peak_learning_rate, fused=True)


def _arrange_kernels(model: nn.Module, order: torch.memory_format) -> None:
    """Store convolution kernels in `order`; channels-last ones make the CPU's kernels faster."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=order)


def _batches(
    split: Split, size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield augmented images `[size, 1, 28, 28]` and labels in random order, full batches only."""
    images, labels = torch.from_numpy(split.images.copy()), torch.from_numpy(split.labels)
    order = torch.randperm(len(labels), generator=generator)
    for start in range(0, len(order) // size * size, size):
        chosen = order[start : start + size]
        augmented = shift_and_flip(images[chosen], generator)
        yield ((augmented.float() / 255.0 - MEAN) / STD).unsqueeze(1), labels[chosen]
