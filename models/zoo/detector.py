"""A one-stage detector in the manner of YOLO: two scales, decoded boxes, suppression."""

import torch
from torch import Tensor, nn

from .randomize import randomized

SIDE, CLASSES, WIDTH = 160, 8, 16
MOST_BOXES = 50


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.SiLU(),
    )


class _Split(nn.Module):
    """A cross-stage block: half of the channels go through residual bottlenecks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = _conv(width, width, 1)
        self.body = nn.Sequential(_conv(width // 2, width // 2), _conv(width // 2, width // 2))
        self.leave = _conv(width + width // 2, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.enter(x).chunk(2, dim=1)
        leave: Tensor = self.leave(torch.cat([first, second, second + self.body(second)], dim=1))
        return leave


class _Pyramid(nn.Module):
    """Pooling at three sizes, as in the spatial pyramid of YOLOv5."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = _conv(width, width // 2, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.leave = _conv(2 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        leave: Tensor = self.leave(torch.cat(parts, dim=1))
        return leave


class Detector(nn.Module):
    """Find boxes `[N, A, 4]` (x1, y1, x2, y2 in pixels) and scores `[N, A, classes]` in images."""

    def __init__(self) -> None:
        """Make the network with strides 8 and 16."""
        super().__init__()
        w = WIDTH
        self.stem = nn.Sequential(_conv(3, w, 3, 2), _conv(w, 2 * w, 3, 2), _Split(2 * w))
        self.middle = nn.Sequential(_conv(2 * w, 4 * w, 3, 2), _Split(4 * w))
        self.deep = nn.Sequential(_conv(4 * w, 8 * w, 3, 2), _Split(8 * w), _Pyramid(8 * w))
        self.lateral = _conv(8 * w, 4 * w, 1)
        self.up = nn.Upsample(scale_factor=2)
        self.fuse = nn.Sequential(_conv(8 * w, 4 * w, 1), _Split(4 * w))
        self.heads = nn.ModuleList(nn.Conv2d(c, 4 + CLASSES, 1) for c in (4 * w, 8 * w))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return decoded boxes and scores of images `[N, 3, H, W]`."""
        middle = self.middle(self.stem(image))
        deep = self.deep(middle)
        fused = self.fuse(torch.cat([self.up(self.lateral(deep)), middle], dim=1))
        boxes, scores = zip(
            *(
                _decoded(head(x), stride)
                for head, x, stride in zip(self.heads, (fused, deep), (8, 16), strict=True)
            ),
            strict=True,
        )
        return {"boxes": torch.cat(boxes, dim=1), "scores": torch.cat(scores, dim=1)}


def _decoded(raw: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    height, width = raw.shape[2:]
    rows = torch.arange(height, dtype=torch.float32)
    columns = torch.arange(width, dtype=torch.float32)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    grid = torch.stack([x, y]).reshape(1, 2, -1)
    flat = raw.flatten(2)
    center = (flat[:, :2].sigmoid() * 2 - 0.5 + grid) * stride
    size = (flat[:, 2:4].sigmoid() * 2) ** 2 * (4 * stride)
    boxes = torch.cat([center - size / 2, center + size / 2], dim=1)
    return boxes.transpose(1, 2), flat[:, 4:].sigmoid().transpose(1, 2)


class Suppressed(nn.Module):
    """The best boxes of one image, by score; those that overlap a better one get score zero."""

    def __init__(self, detector: nn.Module) -> None:
        """Wrap `detector`."""
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return `MOST_BOXES` boxes, scores and classes of each image, best first."""
        found = self.detector(image)
        scores, classes = found["scores"].max(dim=2)
        best, order = scores.topk(MOST_BOXES, dim=1)
        boxes = found["boxes"].gather(1, order.unsqueeze(2).expand(-1, -1, 4))
        kept = _overlap(boxes).triu(1).amax(dim=1) < 0.5  # [N, better, box]: any better one
        return {"boxes": boxes, "scores": best * kept, "classes": classes.gather(1, order)}


def _overlap(boxes: Tensor) -> Tensor:
    """Return intersection over union of all pairs, `[N, K, K]`."""
    low = torch.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
    high = torch.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=3)
    area = (boxes[..., 2:] - boxes[..., :2]).prod(dim=2)
    union = area[:, :, None] + area[:, None, :] - shared
    return shared / union


def _image() -> Tensor:
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def decoded() -> nn.Module:
    """Make the detector up to boxes and scores."""
    detector = randomized(Detector(), _image())
    for head in detector.get_submodule("heads").children():
        head.weight.data *= 0.3  # scores that are far from zero and one have an order
    return detector


def suppressed() -> nn.Module:
    """Make the detector with its suppression."""
    return Suppressed(decoded()).eval()
