"""The encoder of Whisper (Radford et al., 2022, https://arxiv.org/abs/2212.04356), 6 seconds."""

import torch
import transformers
from torch import Tensor, nn
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from .randomize import randomized

FRAMES = 600


class _Encoder(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_features: Tensor) -> dict[str, Tensor]:
        """Return the hidden states `[N, T / 2, C]` of spectrograms `[N, 80, T]`."""
        return {"last_hidden_state": self.model(input_features).last_hidden_state}


def example_inputs() -> dict[str, Tensor]:
    """State the shape of the spectrogram."""
    return {"input_features": torch.randn(2, 80, FRAMES)}


def whisper_tiny() -> nn.Module:
    """Make the encoder with the width of Whisper-tiny."""
    config = transformers.WhisperConfig(max_source_positions=FRAMES // 2)
    return randomized(_Encoder(WhisperEncoder(config).eval()))
