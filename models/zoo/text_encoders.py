"""Encoders of text of the transformers package, from their configurations; a few layers of each."""

import torch
import transformers
from torch import Tensor, nn

from .randomize import randomized

VOCABULARY = 1000
TOKENS = 64


class _Outputs(nn.Module):
    """A model that returns one named output instead of a record."""

    def __init__(self, model: nn.Module, name: str) -> None:
        super().__init__()
        self.model, self.name = model, name

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Return the output for token ids and a mask of ones and zeros, both `[N, T]`."""
        record = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return {self.name: getattr(record, self.name)}


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
    model = transformers.BertForSequenceClassification(config).eval()
    return randomized(_Outputs(model, "logits"))


def distilbert() -> nn.Module:
    """Sanh et al., 2019, https://arxiv.org/abs/1910.01108."""
    config = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=128, n_layers=3, n_heads=4, hidden_dim=512
    )
    return randomized(_Outputs(transformers.DistilBertModel(config).eval(), "last_hidden_state"))
