"""Operators of known architectures are those that the published tables list."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from compressor.source import read_source
from runtimes.simulator.features import quantities
from runtimes.simulator.graph import works_of
from runtimes.simulator.tables import read_operators
from runtimes.simulator.work import Work

FEW = ("mobilenet_v3", "shufflenet_v2", "squeezenet")
EVERY = (
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3",
    "mnasnet",
    "resnet18",
    "shufflenet_v2",
    "vgg16",
    "efficientnetv2_b0",
    "squeezenet",
)


def layers(works: Iterable[Work]) -> list[tuple[int, int]]:
    """MACs and weights of every layer, in an order that does not depend on the file's."""
    return sorted((work.macs, work.weights) for work in works if work.macs)


@pytest.mark.slow
def test_layers_are_those_of_the_published_table(shared_data: Path) -> None:
    full = os.environ.get("EDGEC_CONFORMANCE") == "full"
    names = EVERY if full else FEW
    factory = f"{Path(__file__).parent / 'architectures.py'}:{'every' if full else 'few'}"
    ours = works_of(read_source(factory).model.graph)
    table = read_operators(shared_data / "latency" / "ncnn_graph_ops.csv")
    theirs = [work for name in names for work in table[name]]
    assert len(layers(ours)) == len(layers(theirs))
    for mine, listed in zip(layers(ours), layers(theirs), strict=True):
        assert mine == pytest.approx(listed, rel=0.02)
    mac_features = quantities(ours)[:6], quantities(theirs)[:6]
    np.testing.assert_allclose(*mac_features, rtol=0.1)
