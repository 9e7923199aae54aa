"""A small vision transformer (Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929).

Attention is written out with plain linear layers, so that its matrix products stay visible in an
exported graph.
"""

import torch
from torch import Tensor, nn

IMAGE_SIZE = 28
PATCH_SIZE = 4
WIDTH = 96
HEADS = 4
MLP_WIDTH = 256
DEPTH = 4


class Attention(nn.Module):
    """Multi-head self-attention over tokens `[N, T, C]`."""

    def __init__(self, width: int, heads: int) -> None:
        """Make `heads` heads of `width / heads` channels each."""
        super().__init__()
        self.scale = (width // heads) ** -0.5
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.split_heads = nn.Unflatten(-1, (heads, width // heads))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the attended tokens `[N, T, C]`."""
        query = self._split(self.query(tokens))
        key = self._split(self.key(tokens))
        value = self._split(self.value(tokens))
        scores = torch.matmul(query, key.transpose(-2, -1)) * self.scale
        attended = torch.matmul(scores.softmax(dim=-1), value)
        output: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return output

    def _split(self, tokens: Tensor) -> Tensor:
        """Turn `[N, T, C]` into `[N, heads, T, C / heads]`."""
        heads: Tensor = self.split_heads(tokens)
        return heads.transpose(1, 2)


class Block(nn.Module):
    """Attention, then an MLP, each after a layer norm and beside a shortcut."""

    def __init__(self, width: int, heads: int, mlp_width: int) -> None:
        """Make a block for tokens of `width` channels."""
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_width), nn.GELU(), nn.Linear(mlp_width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the same shape `[N, T, C]`."""
        tokens = tokens + self.attention(self.norm1(tokens))
        mixed: Tensor = self.mlp(self.norm2(tokens))
        return tokens + mixed


class VisionTransformer(nn.Module):
    """Classify images `[N, 1, 28, 28]` into logits `[N, 10]`: 49 patches and a class token."""

    def __init__(self, classes: int = 10) -> None:
        """Make the network with untrained weights."""
        super().__init__()
        patches = (IMAGE_SIZE // PATCH_SIZE) ** 2
        self.patch_embedding = nn.Conv2d(1, WIDTH, PATCH_SIZE, PATCH_SIZE)
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.empty(1, patches + 1, WIDTH))
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.blocks = nn.Sequential(*(Block(WIDTH, HEADS, MLP_WIDTH) for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of each image."""
        patches = self.patch_embedding(image).flatten(2).transpose(1, 2)
        class_token = self.class_token.expand(image.shape[0], -1, -1)
        tokens = torch.cat([class_token, patches], dim=1) + self.positions
        tokens = self.norm(self.blocks(tokens))
        logits: Tensor = self.classifier(tokens[:, 0])
        return logits


def build() -> nn.Module:
    """Make the untrained network."""
    return VisionTransformer()
