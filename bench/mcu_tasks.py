"""What the four MLPerf Tiny models do, operator by operator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runtimes.simulator.graph import read_graph, works_of
from runtimes.simulator.work import Kind, Work

_FILES = {"ad": "mlperf_ae_toycar", "ic": "mlperf_resnet8_cifar10", "kws": "mlperf_dscnn_kws"}
# MobileNetV1 of width 0.25 for 96x96 images and two classes: channels and stride of each block.
_BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2),
           (256, 1))  # fmt: skip


def read_tasks(models: Path) -> Mapping[str, list[Work]]:
    """Return the operators by task, of the INT8 files in the folder *models* and of vww."""
    found = {
        task: works_of(read_graph(models / name / "reference_int8.tflite"))
        for task, name in _FILES.items()
    }
    return {**found, "vww": visual_wake_words()}


def visual_wake_words() -> list[Work]:
    """Return the operators of the person detector, from its published architecture."""
    size, width = 48, 8
    works = [_conv(3, width, size, window=9, stride=2)]
    for made, stride in _BLOCKS:
        size //= stride
        works += [_depthwise(width, size, stride), _conv(width, made, size)]
        width = made
    pool = Work(
        name="pool", kind=Kind.POOL, elements_in=size * size * width, elements_out=width, window=0
    )
    dense = Work(
        name="dense",
        kind=Kind.DENSE,
        macs=2 * width,
        weights=2 * width,
        elements_in=width,
        elements_out=2,
        integer=True,
    )
    return [*works, pool, dense]


def _conv(taken: int, made: int, size: int, *, window: int = 1, stride: int = 1) -> Work:
    pixels = size * size
    return Work(
        name="conv",
        kind=Kind.CONV,
        macs=pixels * taken * made * window,
        weights=taken * made * window,
        elements_in=pixels * taken * stride * stride,
        elements_out=pixels * made,
        window=window,
        stride=stride,
        channels_in=taken,
        channels_out=made,
        width=size,
        height=size,
        integer=True,
    )


def _depthwise(channels: int, size: int, stride: int) -> Work:
    elements = size * size * channels
    return Work(
        name="depthwise",
        kind=Kind.DEPTHWISE,
        macs=9 * elements,
        weights=9 * channels,
        elements_in=elements * stride * stride,
        elements_out=elements,
        window=9,
        stride=stride,
        groups=channels,
        channels_in=channels,
        channels_out=channels,
        width=size,
        height=size,
        integer=True,
    )
