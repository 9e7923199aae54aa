"""The encoder of Whisper (Radford et al., 2022, https://arxiv.org/abs/2212.04356), 6 seconds."""

import torch
import transformers
from torch import Tensor, nn
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from .randomize import randomized

FRAMES = 600


def example_inputs() -> dict[str, Tensor]:
    """State the shape of the spectrogram."""
    return {"input_features": torch.randn(2, 80, FRAMES)}


def whisper_tiny() -> nn.Module:
    """Make the encoder with the width of Whisper-tiny."""
    config = transformers.WhisperConfig(max_source_positions=FRAMES // 2)
    return randomized(WhisperEncoder(config).eval())
