"""Well-known architectures: the canonical graph answers as the framework does.

ONNX Runtime runs the graph with its own optimiser off, at two batch sizes. Graphs that come from
Keras have no more nodes than tf2onnx followed by onnxscript's optimizer leaves, which is what one
would use without edgec. `make conformance` takes all of the zoo.
"""

import os
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnxscript import optimizer

from compressor.ingest import factory
from compressor.ingest.options import IngestOptions
from compressor.source import read_source
from models.zoo.answers import answers_of
from models.zoo.entries import ZOO, Entry
from tests.graphs import run_onnx
from tests.tolerances import ZOO_PARITY

SLICE = {"keras_images.mobilenet_v2", "decoder_with_cache.gpt2_step", "mobilenet_v1"}
FULL = os.environ.get("EDGEC_CONFORMANCE") == "full"
ENTRIES = [entry for entry in ZOO if FULL or entry.name in SLICE]
OF_KERAS = [entry for entry in ENTRIES if entry.package == "keras"]
BATCHES = (1, 3)
NEEDLESS = {"Identity", "Cast", "Squeeze", "Unsqueeze"}


def test_names_are_unique_and_the_slice_is_of_the_zoo() -> None:
    names = [entry.name for entry in ZOO]
    assert len(set(names)) == len(names)
    assert set(names) >= SLICE


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_canonical_graph_answers_as_the_framework(entry: Entry) -> None:
    _needs(entry)
    source = read_source(entry.spec, entry.options)
    batches = [entry.feeds(source.interface, batch=size, seed=size) for size in BATCHES]
    for feeds, expected in zip(batches, answers_of(entry, batches), strict=True):
        for want, have in zip(expected, run_onnx(source.model, feeds).values(), strict=True):
            assert have.shape == want.shape
            assert have.dtype == want.dtype
            scale = float(np.abs(want).max())
            assert float(np.abs(want - want.mean()).max()) > 0, "a constant output shows nothing"
            assert np.abs(have.astype(np.float64) - want).max() <= scale * ZOO_PARITY


@pytest.mark.slow
@pytest.mark.parametrize("entry", OF_KERAS, ids=lambda entry: entry.name)
def test_graphs_of_keras_are_as_small_as_others_leave_them(entry: Entry) -> None:
    _needs(entry)
    plain = factory.load(Path(entry.spec), IngestOptions())
    optimizer.optimize(plain)
    model = read_source(entry.spec).model
    print(f"{entry.name}: {model.graph.num_nodes()} nodes, {plain.graph.num_nodes()} by onnxscript")
    assert model.graph.num_nodes() <= plain.graph.num_nodes()
    assert not {node.op_type for node in model.graph} & NEEDLESS
    assert not any(_undoes(node) for node in model.graph)


def _needs(entry: Entry) -> None:
    if not entry.installed:
        pytest.skip(f"needs pip install 'edgec[{entry.package}]'")


def _undoes(node: ir.Node) -> bool:
    """Whether *node* is a Transpose of a Transpose."""
    producer = node.inputs[0].producer() if node.inputs and node.inputs[0] is not None else None
    return producer is not None and node.op_type == producer.op_type == "Transpose"
