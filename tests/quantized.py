"""Canonical graphs of common architectures, and how tests quantize them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.collect import Feeds, Run, collect
from compressor.calibration.histogram import HistogramObserver
from compressor.calibration.table import CalibrationTable
from compressor.ir.annotations import Precision, is_convert, precision_of, quant_of
from compressor.ir.interface import interface_of
from compressor.ir.op_facts import Role, facts_of
from compressor.ir.quant import QuantParams
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import Changes, Pass, PassContext
from compressor.passes.quantize_static import QuantizeStatic, calibration_targets
from compressor.pipeline import run_passes
from tests.graphs import feeds_for, gaussian, graph_of, run_onnx

Array = npt.NDArray[Any]


def residual() -> ir.Model:
    """Stem, a residual block, pooling, classifier."""
    return graph_of(
        """g (float[N,3,8,8] x) => (float[N,10] y) {
            stem = Conv<pads=[1,1,1,1]>(x, w0, b0)
            r0 = Relu(stem)
            c1 = Conv<pads=[1,1,1,1]>(r0, w1, b1)
            r1 = Relu(c1)
            c2 = Conv<pads=[1,1,1,1]>(r1, w2)
            s = Add(c2, r0)
            r2 = Relu(s)
            p = GlobalAveragePool(r2)
            f = Reshape(p, rows)
            y = Gemm<transB=1>(f, w3, b3)
        }""",
        w0=gaussian(6, 3, 3, 3, seed=1, scale=0.3),
        b0=gaussian(6, seed=2),
        w1=gaussian(6, 6, 3, 3, seed=3, scale=0.2),
        b1=gaussian(6, seed=4),
        w2=gaussian(6, 6, 3, 3, seed=5, scale=0.2),
        rows=np.array([-1, 6]),
        w3=gaussian(10, 6, seed=6),
        b3=gaussian(10, seed=7),
    )


def squeeze_excite() -> ir.Model:
    """A depthwise block with squeeze and excitation, and a hard swish."""
    return graph_of(
        """g (float[N,4,8,8] x) => (float[N,4,4,4] y) {
            d = Conv<group=4, pads=[1,1,1,1], strides=[2,2]>(x, w0, b0)
            a = HardSwish(d)
            p = GlobalAveragePool(a)
            e = Conv(p, w1, b1)
            r = Relu(e)
            f = Conv(r, w2, b2)
            g = Sigmoid(f)
            m = Mul(a, g)
            y = Conv(m, w3)
        }""",
        w0=gaussian(4, 1, 3, 3, seed=1),
        b0=gaussian(4, seed=2),
        w1=gaussian(2, 4, 1, 1, seed=3),
        b1=gaussian(2, seed=4),
        w2=gaussian(4, 2, 1, 1, seed=5),
        b2=gaussian(4, seed=6),
        w3=gaussian(4, 4, 1, 1, seed=7),
    )


def concat() -> ir.Model:
    """Two branches joined; one of them is read elsewhere, too."""
    return graph_of(
        """g (float[N,3,6,6] x) => (float[N,7,6,6] y) {
            a = Conv(x, w0, b0)
            b = Conv(x, w1)
            br = Relu(b)
            j = Concat<axis=1>(a, br)
            k = Conv(br, w2)
            y = Concat<axis=1>(j, k)
        }""",
        w0=gaussian(2, 3, 1, 1, seed=1, scale=3.0),
        b0=gaussian(2, seed=2),
        w1=gaussian(3, 3, 1, 1, seed=3),
        w2=gaussian(2, 3, 1, 1, seed=4, scale=9.0),
    )


def transformer() -> ir.Model:
    """One block with the normalization after each residual sum, as canonicalization leaves it."""
    names = ("wq", "wk", "wv", "wo")
    return graph_of(
        """g (float[N,5,8] x) => (float[N,5,8] z) {
            norm_rows = Reshape(x, rows8)
            q = Gemm<transB=1>(norm_rows, wq, bias)
            k = Gemm<transB=1>(norm_rows, wk, bias1)
            v = Gemm<transB=1>(norm_rows, wv, bias2)
            q4 = Reshape(q, heads)
            k4 = Reshape(k, heads)
            v4 = Reshape(v, heads)
            qt = Transpose<perm=[0,2,1,3]>(q4)
            kt = Transpose<perm=[0,2,3,1]>(k4)
            vt = Transpose<perm=[0,2,1,3]>(v4)
            scores = MatMul(qt, kt)
            scaled = Mul(scores, half)
            weights = Softmax<axis=-1>(scaled)
            context = MatMul(weights, vt)
            back = Transpose<perm=[0,2,1,3]>(context)
            flat = Reshape(back, rows8)
            o = Gemm<transB=1>(flat, wo, bias3)
            o3 = Reshape(o, tokens)
            sum1 = Add(o3, x)
            norm1 = LayerNormalization(sum1, gain, offset)
            mlp_rows = Reshape(norm1, rows8)
            up = Gemm<transB=1>(mlp_rows, w1, b1)
            act = Relu(up)
            down = Gemm<transB=1>(act, w2, b2)
            down3 = Reshape(down, tokens)
            y = Add(down3, norm1)
            z = LayerNormalization(y, gain1, offset1)
        }""",
        **{name: gaussian(8, 8, seed=i, scale=0.5) for i, name in enumerate(names)},
        bias=gaussian(8, seed=5),
        bias1=gaussian(8, seed=6),
        bias2=gaussian(8, seed=7),
        bias3=gaussian(8, seed=8),
        half=np.float32(0.5),
        gain=np.ones(8, np.float32),
        offset=np.zeros(8, np.float32),
        gain1=np.ones(8, np.float32),
        offset1=np.zeros(8, np.float32),
        w1=gaussian(16, 8, seed=9, scale=0.5),
        b1=gaussian(16, seed=10),
        w2=gaussian(8, 16, seed=11, scale=0.5),
        b2=gaussian(8, seed=12),
        rows8=np.array([-1, 8]),
        heads=np.array([-1, 5, 2, 4]),
        tokens=np.array([-1, 5, 8]),
    )


def gru() -> ir.Model:
    """A recurrent layer and a classifier on its last state."""
    return graph_of(
        """g (float[7,N,3] x) => (float[N,4] y) {
            all, h = GRU<hidden_size=5>(x, w, r, b)
            last = Reshape(h, rows)
            y = Gemm<transB=1>(last, v, c)
        }""",
        w=gaussian(1, 15, 3, seed=1),
        r=gaussian(1, 15, 5, seed=2),
        b=gaussian(1, 30, seed=3),
        rows=np.array([-1, 5]),
        v=gaussian(4, 5, seed=4),
        c=gaussian(4, seed=5),
    )


GRAPHS: Mapping[str, Callable[[], ir.Model]] = {
    "residual": residual,
    "squeeze_excite": squeeze_excite,
    "concat": concat,
    "transformer": transformer,
    "gru": gru,
}


def make_runner(model: ir.Model, names: Sequence[str]) -> Run:
    """Execute *model* by ONNX Runtime with the values *names* as outputs."""
    copy = model.clone()
    values = {value.name: value for node in copy.graph for value in node.outputs}
    copy.graph.outputs.clear()
    copy.graph.outputs.extend(values[name] for name in names)

    def run(feeds: Feeds) -> list[Array]:
        found = run_onnx(copy, dict(feeds))
        return [found[name] for name in names]

    return run


def calibrated(
    model: ir.Model, keep_float: Iterable[str] = (), *, samples: int = 64
) -> CalibrationTable:
    """Return statistics and moments of *model* on random samples."""
    InferShapes().run(model, PassContext())
    batches = [feeds_for(model, batch=samples // 4, seed=seed) for seed in range(4)]
    return collect(
        model,
        calibration_targets(model, frozenset(keep_float)),
        batches,
        make_runner=make_runner,
        make_observer=HistogramObserver,
        layers=[node for node in model.graph if facts_of(node).role is Role.COMPUTE],
    )


def quantized(
    model: ir.Model, *more: Pass, keep_float: Iterable[str] = (), range_method: str = "minmax"
) -> list[Changes]:
    """Calibrate *model* on random samples and annotate it as static INT8; then run *more*."""
    table = calibrated(model, keep_float)
    quantize = QuantizeStatic(range_method=range_method, keep_float=frozenset(keep_float))
    context = PassContext(table=table)
    entries = run_passes(model, [quantize, *more], interface=interface_of(model), context=context)
    return [entry.changes for entry in entries]


def real_values(model: ir.Model, feeds: Feeds) -> dict[str, Array]:
    """Compute every value of an annotated graph node by node: the meaning of the annotations.

    Each node runs alone in float on the real numbers that its integer operands stand for; what an
    integer tensor cannot hold is rounded by numpy, in float32 as QuantizeLinear is specified, so
    that a runtime without optimiser gives the very same numbers. Averages are of integers.
    """
    values: dict[str, Array] = dict(feeds)
    for name, value in model.graph.initializers.items():
        params, array = quant_of(value), value.const_value.numpy()  # type: ignore[union-attr]
        values[name] = array if params is None else params.dequantize(params.quantize(array))
    for node in model.graph:
        if node.op_type == "AveragePool" and precision_of(node) is Precision.INTEGER:
            values[node.outputs[0].name or ""] = _average(node, values)
            continue
        outputs = [values[node.inputs[0].name]] if is_convert(node) else _run_alone(node, values)  # type: ignore[union-attr,index]
        for value, array in zip(node.outputs, outputs, strict=True):
            params = quant_of(value)
            values[value.name or ""] = array if params is None else _rounded(array, params)
    return values


def _rounded(array: Array, params: QuantParams) -> Array:
    steps = np.rint(array / params.scale_array()) + np.float32(params.zero_point[0])
    return params.dequantize(np.clip(steps, params.dtype.low, params.dtype.high))


def _average(node: ir.Node, values: Mapping[str, Array]) -> Array:
    """Average stored integers; halves go away from the integer zero, as integer kernels round."""
    source = node.inputs[0]
    params = quant_of(source)
    assert source is not None
    assert params is not None
    assert params == quant_of(node.outputs[0])
    name = source.name or ""
    stored = params.quantize(values[name]).astype(np.float32)
    (mean,) = _run_alone(node, {**values, name: stored})
    return params.dequantize(np.trunc(mean + np.copysign(np.float32(0.5), mean)))


def _run_alone(node: ir.Node, values: Mapping[str, Array]) -> list[Array]:
    """Execute one node in ONNX Runtime."""
    inputs = {v.name or "": values[v.name or ""] for v in node.inputs if v is not None}
    made = {name: _value(name, array) for name, array in inputs.items()}
    operands = [None if v is None else made[v.name or ""] for v in node.inputs]
    copy = ir.node(node.op_type, operands, dict(node.attributes), num_outputs=len(node.outputs))
    for index, output in enumerate(copy.outputs):
        output.name, output.type = f"out{index}", node.outputs[index].type
    graph = ir.Graph(
        list(made.values()), copy.outputs, nodes=[copy], opset_imports={"": 21}, name="one"
    )
    found = run_onnx(ir.Model(graph, ir_version=10), inputs)
    return [found[f"out{index}"] for index in range(len(node.outputs))]


def _value(name: str, array: Array) -> ir.Value:
    dtype = ir.TensorType(ir.DataType.from_numpy(array.dtype))
    return ir.Value(name=name, type=dtype, shape=ir.Shape(array.shape))
