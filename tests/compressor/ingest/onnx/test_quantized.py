"""Files that are quantized already: annotations take over, and nothing is rounded anew."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnxruntime import quantization as ort

from compressor.analyses.quantized import is_quantized
from compressor.ir.annotations import Precision, is_convert, precision_of, quant_of
from compressor.ir.quant import IntegerType
from compressor.source import read_source
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import Array, feeds_for, gaussian, graph_of, run_onnx
from tests.quantized import GRAPHS, quantized
from tests.tolerances import float32_network

FUSED = float32_network(layers=8, terms=64)  # far below one step of any 8-bit scale

SIGNED, UNSIGNED = ort.QuantType.QInt8, ort.QuantType.QUInt8
FORMS = {
    "pairs, uint8, per channel": (ort.QuantFormat.QDQ, UNSIGNED, SIGNED, True),
    "pairs, int8, per tensor": (ort.QuantFormat.QDQ, SIGNED, SIGNED, False),
    "pairs, uint8 weights": (ort.QuantFormat.QDQ, UNSIGNED, UNSIGNED, False),
    "pairs, int16": (ort.QuantFormat.QDQ, ort.QuantType.QInt16, SIGNED, True),
    "pairs, uint16": (ort.QuantFormat.QDQ, ort.QuantType.QUInt16, SIGNED, True),
    "operators, uint8, per channel": (ort.QuantFormat.QOperator, UNSIGNED, SIGNED, True),
    "operators, int8, per tensor": (ort.QuantFormat.QOperator, SIGNED, SIGNED, False),
    "operators, uint8 weights": (ort.QuantFormat.QOperator, UNSIGNED, UNSIGNED, False),
}


class Calibration(ort.CalibrationDataReader):  # type: ignore[misc]
    """Random samples for the quantizer of ONNX Runtime."""

    def __init__(self, model: ir.Model) -> None:
        self._feeds: Iterator[dict[str, Array]] = iter(
            [feeds_for(model, batch=1, seed=seed) for seed in range(8)]
        )

    def get_next(self) -> dict[str, Array] | None:
        return next(self._feeds, None)


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger().setLevel(logging.ERROR)


def saved(folder: Path, model: ir.Model, name: str = "float.onnx") -> Path:
    path = folder / name
    path.write_bytes(ir.to_proto(model).SerializeToString())
    return path


def stored_like(path: Path) -> IntegerType:
    """Return the 8-bit type of the activations in the file at *path*."""
    types = {t.data_type for t in onnx.load(path).graph.initializer}
    return IntegerType.UINT8 if onnx.TensorProto.UINT8 in types else IntegerType.INT8


def read_back(path: Path, model: ir.Model, modes: tuple[bool, ...] = (False, True)) -> ir.Model:
    """Return the file at *path* as read; written again it must answer exactly as before.

    *modes* says whether with ONNX Runtime's optimiser off, on, or both. The optimiser fuses what
    canonicalization has cleaned into other float kernels: the order of their sums is its own.
    """
    source = read_source(str(path))
    options = ExportOptions(activations=stored_like(path))
    content = exporter.write(source.model, options)
    feeds = feeds_for(model, batch=1, seed=99)
    for optimize in modes:
        want = run_onnx(path.read_bytes(), feeds, optimize=optimize)
        have = run_onnx(content, feeds, optimize=optimize)
        for name, expected in want.items():
            bound = FUSED * np.abs(expected).max(initial=0.0) if optimize else 0.0
            np.testing.assert_allclose(have[name], expected, rtol=0, atol=bound)
    return source.model


def counts(model: ir.Model) -> dict[Precision, int]:
    found = [precision_of(node) for node in model.graph]
    return {kind: found.count(kind) for kind in Precision if kind in found}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("graph", ["residual", "concat"])
def test_files_of_the_static_quantizer(tmp_path: Path, graph: str, form: str) -> None:
    model, (shape, activations, weights, per_channel) = GRAPHS[graph](), FORMS[form]
    path = tmp_path / "quantized.onnx"
    ort.quantize_static(
        str(saved(tmp_path, model)),
        str(path),
        Calibration(model),
        quant_format=shape,
        activation_type=activations,
        weight_type=weights,
        per_channel=per_channel,
    )
    back = read_back(path, model)
    assert is_quantized(back)
    left = {node.op_type for node in back.graph if precision_of(node) is Precision.FLOAT}
    assert left == {"Convert"}


@pytest.mark.parametrize("graph", ["squeeze_excite", "transformer", "gru"])
def test_float_islands_keep_conversions_around_them(tmp_path: Path, graph: str) -> None:
    model, path = GRAPHS[graph](), tmp_path / "quantized.onnx"
    ort.quantize_static(
        str(saved(tmp_path, model)),
        str(path),
        Calibration(model),
        quant_format=ort.QuantFormat.QDQ,
        weight_type=SIGNED,
        per_channel=True,
    )
    back = read_back(path, model)
    assert counts(back)[Precision.INTEGER]
    assert not {"QuantizeLinear", "DequantizeLinear"} & {n.op_type for n in back.graph}


@pytest.mark.parametrize("weights", [SIGNED, UNSIGNED])
@pytest.mark.parametrize("graph", ["residual", "transformer", "gru"])
def test_files_of_the_dynamic_quantizer(tmp_path: Path, graph: str, weights: ort.QuantType) -> None:
    model, path = GRAPHS[graph](), tmp_path / "quantized.onnx"
    ort.quantize_dynamic(str(saved(tmp_path, model)), str(path), weight_type=weights)
    back = read_back(path, model)
    dynamic = [node for node in back.graph if precision_of(node) is Precision.DYNAMIC]
    assert dynamic
    assert all(quant_of(node.inputs[1]) is not None for node in dynamic)
    assert "DynamicQuantizeLinear" not in {node.op_type for node in back.graph}


@pytest.mark.parametrize("activations", [IntegerType.UINT8, IntegerType.INT8])
@pytest.mark.parametrize("graph", GRAPHS)
def test_own_files_come_back_as_they_were(
    tmp_path: Path, graph: str, activations: IntegerType
) -> None:
    model = GRAPHS[graph]()
    quantized(model)
    options = ExportOptions(activations=activations)
    path = tmp_path / "own.onnx"
    path.write_bytes(exporter.write(model, options))
    back = read_back(path, GRAPHS[graph]())
    assert integers(exporter.write(back, options)) == integers(path.read_bytes())
    left = {n.op_type: precision_of(n) for n in model.graph if n.op_type not in ("Relu", "Clip")}
    again = {n.op_type: precision_of(n) for n in back.graph if n.op_type not in ("Relu", "Clip")}
    assert again == left


def integers(content: bytes) -> list[bytes]:
    """Return every integer constant and every scale of a file, in a canonical order."""
    tensors = onnx.ModelProto.FromString(content).graph.initializer
    return sorted(onnx.numpy_helper.to_array(t).tobytes() for t in tensors)


# --- forms by hand -------------------------------------------------------------------------------

S, Z, T = np.float32(0.05), np.int8(-3), np.float32(0.1)


def build(text: str, **constants: Array) -> ir.Model:
    return graph_of(text, s=S, z=Z, t=T, **constants)


def convert_pairs(model: ir.Model) -> list[str]:
    return [node.op_type for node in model.graph if is_convert(node)]


def test_pair_around_an_operator_without_integer_form(tmp_path: Path) -> None:
    model = build(
        """g (float[N,4] x) => (float[N,4] y) {
            q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) e = Erf(d)
            p = QuantizeLinear(e, t, z) y = DequantizeLinear(p, t, z)
        }"""
    )
    back = read_back(saved(tmp_path, model), model)
    assert [node.op_type for node in back.graph if not is_convert(node)] == ["Erf"]
    assert len(convert_pairs(back)) == 4


def test_movement_to_another_scale_stays_float(tmp_path: Path) -> None:
    """As integers it would need a second pair in a row, which ONNX Runtime merges inexactly."""
    model = build(
        """g (float[2,4] x) => (float[4,2] y) {
            q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
            m = Transpose<perm=[1,0]>(d)
            p = QuantizeLinear(m, t, z) y = DequantizeLinear(p, t, z)
        }"""
    )
    back = read_back(saved(tmp_path, model), model)
    assert {precision_of(n) for n in back.graph if not is_convert(n)} == {Precision.FLOAT}


def test_value_that_is_also_read_in_float(tmp_path: Path) -> None:
    """Rounding it for the other reader, too, would change the model."""
    model = build(
        """g (float[N,4] x) => (float[N,4] y, float[N,4] h) {
            q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
            h = Add(d, d)
            p = QuantizeLinear(h, t, z) y = DequantizeLinear(p, t, z)
        }"""
    )
    back = read_back(saved(tmp_path, model), model)
    assert {precision_of(n) for n in back.graph if n.op_type == "Add"} == {Precision.FLOAT}


def test_weights_alone(tmp_path: Path) -> None:
    model = build(
        """g (float[N,4] x) => (float[N,3] y) {
            w = DequantizeLinear<axis=1>(i, c) y = MatMul(x, w)
        }""",
        i=np.arange(-6, 6, dtype=np.int8).reshape(4, 3),
        c=np.array([0.1, 0.2, 0.3], np.float32),
    )
    path = saved(tmp_path, model)
    back = read_back(path, model, (False,))  # the optimiser would quantize activations as well
    assert Precision.WEIGHT_ONLY in counts(back)
    assert is_quantized(back)
    path.write_bytes(exporter.write(back, ExportOptions()))
    again = read_back(path, model)
    assert counts(again) == counts(back)
    assert is_quantized(again)


@pytest.mark.parametrize(
    "text",
    [
        "c = Cast<to = 1>(i) w = Mul(c, wrong) y = MatMul(x, w)",
        "c = Cast<to = 1>(i) w = Mul(c, grid) y = MatMul(x, w)",
        "c = Cast<to = 1>(i) w = Mul(c, negative) y = MatMul(x, w)",
        "c = Cast<to = 1>(fed) w = Mul(c, plain) y = MatMul(x, w)",
    ],
    ids=["rank", "two axes", "sign", "computed"],
)
def test_products_that_are_no_scaled_integers_are_left_alone(tmp_path: Path, text: str) -> None:
    constants = {
        "wrong": np.ones((1, 1, 3), np.float32) / 3,
        "grid": np.ones((4, 3), np.float32) * np.arange(1, 4, dtype=np.float32),
        "negative": np.asarray([[-1, 1, 2]], np.float32),
        "plain": np.ones((1, 3), np.float32),
        "i": np.arange(-6, 6, dtype=np.int8).reshape(4, 3),
    }
    used = {name: array for name, array in constants.items() if f"{name})" in text}
    fed = ", int8[4,3] fed" if "fed" in text else ""
    rank = "1,N" if "wrong" in text else "N"
    graph = f"g (float[N,4] x{fed}) => (float[{rank},3] y) {{ {text} }}"
    back = read_source(str(saved(tmp_path, build(graph, **used)))).model
    assert not is_quantized(back)


def test_transposed_weights_take_their_axis_along(tmp_path: Path) -> None:
    model = build(
        """g (float[N,4] x) => (float[N,3] y) {
            q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
            w = DequantizeLinear<axis=0>(i, c) v = Transpose<perm=[1,0]>(w)
            m = MatMul(d, v) p = QuantizeLinear(m, t, z) y = DequantizeLinear(p, t, z)
        }""",
        i=np.arange(-6, 6, dtype=np.int8).reshape(3, 4),
        c=np.array([0.1, 0.2, 0.3], np.float32),
    )
    assert Precision.INTEGER in counts(read_back(saved(tmp_path, model), model))


BLOCKS = """g (float[2,4] x) => (float[2,4] y) {
    w = DequantizeLinear<axis=1, block_size=2>(i, c) y = Mul(x, w)
}"""
COMPUTED = """g (float[2,4] x, float u) => (float[2,4] y) {
    q = QuantizeLinear(x, u) y = DequantizeLinear(q, u)
}"""
HALF = """g (float16[2,4] x) => (float16[2,4] y) {
    q = QuantizeLinear(x, r, z) y = DequantizeLinear(q, r, z)
}"""


@pytest.mark.parametrize("text", [BLOCKS, COMPUTED, HALF])
def test_forms_that_annotations_cannot_express_stay_nodes(tmp_path: Path, text: str) -> None:
    model = build(
        text,
        **{
            name: array
            for name, array in {
                "i": np.arange(8, dtype=np.int8).reshape(2, 4),
                "c": abs(gaussian(2, 2)),
                "r": np.float16(0.1),
            }.items()
            if f"({name}," in text or f", {name})" in text or f" {name}," in text
        },
    )
    path = saved(tmp_path, model)
    back = read_source(str(path)).model
    feeds = {name: np.asarray(np.abs(array)) for name, array in feeds_for(model).items()}
    want = run_onnx(path.read_bytes(), feeds)["y"]
    have = run_onnx(exporter.write(back, ExportOptions()), feeds)["y"]
    np.testing.assert_array_equal(have, want)


def test_integers_moved_before_they_mean_something(tmp_path: Path) -> None:
    """As in files of the operator form: a pool and a reshape of plain int8 tensors."""
    model = build(
        """g (float[1,2,4,4] x) => (float[1,8] y) {
            q = QuantizeLinear(x, s, z)
            m = MaxPool<kernel_shape=[2,2], strides=[2,2]>(q)
            f = Flatten(m)
            y = DequantizeLinear(f, s, z)
        }"""
    )
    back = read_back(saved(tmp_path, model), model)
    moved = {n.op_type: precision_of(n) for n in back.graph if not is_convert(n)}
    assert moved == {"MaxPool": Precision.INTEGER, "Reshape": Precision.INTEGER}
