"""What edgec writes as TFLite it reads back: same answers, same scales, no stray Transposes."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.quantized import is_quantized
from compressor.ingest.tflite.importer import import_bytes
from compressor.ir.annotations import quant_of
from compressor.ir.interface import interface_of
from compressor.ir.quant import QuantParams
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
from compressor.source import read_source
from exporters import tflite
from exporters.protocol import ExportOptions, WeightType
from tests.compressor.ingest.tflite.litert import LiteRt, in_onnx_runtime, random_feeds
from tests.quantized import GRAPHS, quantized
from tests.tolerances import float32_network

TRAINED = ("residual_cnn", "mobilenet", "gru")
# Longest sums and deepest chains of the graphs here.
LAYERS, TERMS = 100, 2000
# Two integer kernels round one half up or down; a mean above one step is a wrong scale.
MEAN_LSB = 1.0


def canonical(name: str, repository: Path) -> ir.Model:
    path = repository / "models" / name / "model.onnx"
    return read_source(str(path)).model if name in TRAINED else GRAPHS[name]()


def transposes(model: ir.Model) -> int:
    return sum(node.op_type == "Transpose" for node in model.graph)


def scales(model: ir.Model) -> set[QuantParams]:
    found = (quant_of(value) for node in model.graph for value in node.outputs)
    return {params for params in found if params is not None}


@pytest.mark.parametrize("name", [*TRAINED, *GRAPHS])
@pytest.mark.parametrize("weights", list(WeightType))
def test_float(name: str, weights: WeightType, repository: Path, litert: LiteRt) -> None:
    source = canonical(name, repository)
    data = tflite.write(source, ExportOptions(float_weights=weights))
    model = import_bytes(data)
    feeds = random_feeds(interface_of(model))
    want, have = litert.run(data, feeds), in_onnx_runtime(model, feeds)
    assert list(have) == list(want) == [value.name for value in source.graph.outputs]
    for output, expected in want.items():
        bound = float32_network(layers=LAYERS, terms=TERMS) * np.abs(expected).max()
        assert np.abs(have[output] - expected).max() <= bound
    assert transposes(model) <= transposes(source)


@pytest.mark.parametrize("name", GRAPHS)
def test_integer(name: str, litert: LiteRt) -> None:
    source = GRAPHS[name]()
    quantized(source)
    data = tflite.write(source, ExportOptions())
    model = import_bytes(data)
    assert is_quantized(model)
    again = tflite.write(model, ExportOptions())
    feeds = random_feeds(interface_of(model))
    want, have = litert.run(data, feeds), in_onnx_runtime(model, feeds)
    written = litert.run(again, feeds)
    for value in source.graph.outputs:
        output = value.name or ""
        producer = value.producer()
        params = None if producer is None else quant_of(producer.inputs[0])
        step = params.scale[0] if params else float(np.ptp(want[output])) / 255
        assert np.abs(have[output] - want[output]).mean() / step <= MEAN_LSB
        assert np.abs(written[output] - want[output]).max() == 0
    assert scales(model) <= scales(source)
    assert transposes(model) <= transposes(source)


@pytest.mark.parametrize("name", ["residual_cnn", "mobilenet"])
def test_a_channels_last_interface_costs_one_transpose(name: str, repository: Path) -> None:
    """Inputs of one channel are stored alike in both orders, so none at all is needed."""
    source = canonical(name, repository)
    SetIoLayout().run(source, PassContext())
    model = import_bytes(tflite.write(source, ExportOptions()))
    assert transposes(model) <= 1
    assert interface_of(model).inputs[0].shape[1:] == (28, 28, 1)
