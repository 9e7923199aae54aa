"""Encoders of text of the transformers package, from their configurations; a few layers of each."""

import torch
import transformers
from torch import Tensor, nn

from .randomize import randomized

VOCABULARY = 1000
TOKENS = 64


def example_inputs() -> dict[str, Tensor]:
    """State the shapes and types of all encoders of this file."""
    ids = torch.randint(0, VOCABULARY, (2, TOKENS), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, TOKENS // 2 :] = 0
    return {"input_ids": ids, "attention_mask": mask}


def bert() -> nn.Module:
    """Devlin et al., 2018, https://arxiv.org/abs/1810.04805."""
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=512,
        num_labels=4,
    )
    return randomized(transformers.BertForSequenceClassification(config).eval())


def distilbert() -> nn.Module:
    """Sanh et al., 2019, https://arxiv.org/abs/1910.01108."""
    config = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=128, n_layers=3, n_heads=4, hidden_dim=512
    )
    return randomized(transformers.DistilBertModel(config).eval())
