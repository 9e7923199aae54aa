"""A gated recurrent network (Cho et al., 2014, https://arxiv.org/abs/1406.1078).

It reads an image as a sequence of 28 rows and classifies from the state after the last one.
"""

from torch import Tensor, nn

IMAGE_SIZE = 28
WIDTH = 160
LAYERS = 2


class GruClassifier(nn.Module):
    """Classify images `[N, 1, 28, 28]` into logits `[N, 10]`."""

    def __init__(self, classes: int = 10) -> None:
        """Make the network with untrained weights."""
        super().__init__()
        self.recurrent = nn.GRU(IMAGE_SIZE, WIDTH, LAYERS, batch_first=True)
        self.classifier = nn.Linear(WIDTH, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of each image."""
        states, _ = self.recurrent(image.squeeze(1))
        logits: Tensor = self.classifier(states[:, -1])
        return logits


def build() -> nn.Module:
    """Make the untrained network."""
    return GruClassifier()
