"""A decoder of text without a cache: GPT-2's blocks, and Llama's with rotary positions."""

import torch
import transformers
from torch import Tensor, nn

from .randomize import randomized

VOCABULARY = 500
TOKENS = 32
LAYERS, HEADS, WIDTH = 2, 4, 64


def example_inputs() -> dict[str, Tensor]:
    """State the shapes and types."""
    ids = torch.randint(0, VOCABULARY, (2, TOKENS), generator=torch.Generator().manual_seed(0))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def gpt2(*, use_cache: bool = False) -> nn.Module:
    """Radford et al., 2019, Language models are unsupervised multitask learners."""
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=128,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        use_cache=use_cache,
    )
    return randomized(transformers.GPT2LMHeadModel(config).eval())


def llama() -> nn.Module:
    """Touvron et al., 2023, https://arxiv.org/abs/2302.13971; with grouped queries."""
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS // 2,
        max_position_embeddings=128,
        use_cache=False,
    )
    return randomized(transformers.LlamaForCausalLM(config).eval())
