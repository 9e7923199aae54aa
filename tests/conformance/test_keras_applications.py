"""Well-known Keras architectures come out exact, and with no more nodes than others leave.

tf2onnx followed by onnxscript's optimizer is what one would use without edgec. The child that
reads a model has held tf2onnx's graph against Keras (1e-4 of the largest output).
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
from onnxscript import optimizer

from compressor.ingest import factory
from compressor.ingest.options import IngestOptions
from compressor.ir.interface import Layout, interface_of
from compressor.pipeline import CANONICALIZE, run_passes
from tests.graphs import run_onnx
from tests.tolerances import float32_network

SMALL = ("MobileNetV2", "EfficientNetB0")
LARGE = (
    *("ResNet50", "VGG16", "DenseNet121", "InceptionV3", "Xception", "NASNetMobile"),
    *("MobileNetV3Small", "MobileNetV3Large", "EfficientNetV2B0", "ConvNeXtTiny"),
)
NAMES = SMALL + LARGE if os.environ.get("EDGEC_CONFORMANCE") == "full" else SMALL
FACTORIES = Path(__file__).with_name("keras_applications.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("tf2onnx") is None, reason="needs pip install 'edgec[keras]'"
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_architecture(name: str) -> None:
    model = factory.load(Path(f"{FACTORIES}:{name}"), IngestOptions())
    plain = model.clone()
    interface = interface_of(model)
    run_passes(model, CANONICALIZE, interface=interface)
    (image,) = interface_of(model).inputs
    assert image.layout is Layout.NHWC
    samples = np.random.default_rng(0).standard_normal(image.concrete(2)).astype(np.float32)
    feeds = {image.name: samples}
    (want,), (have,) = (run_onnx(m, feeds).values() for m in (plain, model))
    assert have.shape == want.shape
    assert abs(have - want).max() <= abs(want).max() * float32_network(layers=100, terms=9 * 512)

    optimizer.optimize(plain)
    counts = {m: m.graph.num_nodes() for m in (plain, model)}
    print(f"{name}: {counts[model]} nodes, {counts[plain]} by onnxscript")
    assert counts[model] <= counts[plain]
    leftover = {node.op_type for node in model.graph} & {"Identity", "Cast", "Squeeze", "Unsqueeze"}
    assert not leftover
    assert not any(_undoes(node) for node in model.graph)


def _undoes(node: ir.Node) -> bool:
    """Whether *node* is a Transpose of a Transpose."""
    producer = node.inputs[0].producer() if node.inputs and node.inputs[0] is not None else None
    return producer is not None and node.op_type == producer.op_type == "Transpose"
