"""Image models of the transformers package, from their configurations; few layers of a kind."""

import torch
import transformers
from torch import nn

from .randomize import randomized

CLASSES = 10


def _made(model: nn.Module, side: int) -> nn.Module:
    image = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    return randomized(model.eval(), image)


def vit() -> nn.Module:
    """Dosovitskiy et al., 2020, https://arxiv.org/abs/2010.11929; the width of ViT-Tiny."""
    config = transformers.ViTConfig(
        hidden_size=192,
        num_hidden_layers=4,
        num_attention_heads=3,
        intermediate_size=768,
        num_labels=CLASSES,
    )
    return _made(transformers.ViTForImageClassification(config), 224)


def deit() -> nn.Module:
    """Touvron et al., 2020, https://arxiv.org/abs/2012.12877; both heads, width of DeiT-Tiny."""
    config = transformers.DeiTConfig(
        hidden_size=192,
        num_hidden_layers=4,
        num_attention_heads=3,
        intermediate_size=768,
        num_labels=CLASSES,
    )
    return _made(transformers.DeiTForImageClassificationWithTeacher(config), 224)


def swin() -> nn.Module:
    """Liu et al., 2021, https://arxiv.org/abs/2103.14030; shifted windows at four resolutions."""
    config = transformers.SwinConfig(
        embed_dim=48, depths=(2, 2, 2, 2), num_heads=(2, 4, 8, 16), num_labels=CLASSES
    )
    return _made(transformers.SwinForImageClassification(config), 224)


def mobilevit() -> nn.Module:
    """Mehta and Rastegari, 2021, https://arxiv.org/abs/2110.02178; the sizes of MobileViT-XS."""
    config = transformers.MobileViTConfig(
        hidden_sizes=(96, 120, 144),
        neck_hidden_sizes=(16, 32, 48, 64, 80, 96, 384),
        num_labels=CLASSES,
    )
    return _made(transformers.MobileViTForImageClassification(config), 256)


def segformer() -> nn.Module:
    """Xie et al., 2021, https://arxiv.org/abs/2105.15203; the sizes of B0."""
    config = transformers.SegformerConfig(num_labels=CLASSES)
    return _made(transformers.SegformerForSemanticSegmentation(config), 256)
