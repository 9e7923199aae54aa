"""One step of a decoder: one token, and keys and values of those before it, in and out."""

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from .decoder import HEADS, LAYERS, VOCABULARY, WIDTH, gpt2

PAST = 31
Cache = list[dict[str, Tensor]]


class _Step(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, past: Cache) -> dict[str, object]:
        """Return the logits after a token `[N, 1]`, and the cache `[N, H, T, C]` that is longer."""
        cache = DynamicCache([(layer["key"], layer["value"]) for layer in past])
        record = self.model(
            input_ids=input_ids, attention_mask=attention_mask, past_key_values=cache
        )
        layers = record.past_key_values.layers
        return {
            "logits": record.logits,
            "present": [{"key": layer.keys, "value": layer.values} for layer in layers],
        }


def example_inputs() -> dict[str, object]:
    """State the shapes and types, the cache as the model takes it."""
    random = torch.Generator().manual_seed(0)

    def states() -> Tensor:
        return torch.randn(2, HEADS, PAST, WIDTH // HEADS, generator=random)

    return {
        "input_ids": torch.randint(0, VOCABULARY, (2, 1), generator=random),
        "attention_mask": torch.ones(2, PAST + 1, dtype=torch.int64),
        "past": [{"key": states(), "value": states()} for _ in range(LAYERS)],
    }


def gpt2_step() -> nn.Module:
    """Make the step of a small GPT-2."""
    return _Step(gpt2(use_cache=True)).eval()
