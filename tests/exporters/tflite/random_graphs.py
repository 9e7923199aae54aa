"""Random graphs that mix spatial, elementwise and order-bound operators on small images."""

import numpy as np
import onnx_ir as ir
from hypothesis import strategies as st
from onnx_ir.passes.common import ShapeInferencePass

from exporters.tflite.dialect import shape_of

_CHANNELS = (2, 3)
_EXTENT = 4


class _Grower:
    """Adds random nodes to a graph; values are images `[1, C, H, W]`."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._constants: list[ir.Value] = []
        self._nodes: list[ir.Node] = []
        first = ir.Value(
            name="x",
            shape=ir.Shape([1, 2, _EXTENT, _EXTENT]),
            type=ir.TensorType(ir.DataType.FLOAT),
        )
        self._input = first
        self.values = [first]

    def grow(self) -> None:
        """Add one node on an existing value."""
        source = self._draw(st.sampled_from(self.values))
        kind = self._draw(st.sampled_from(_KINDS))
        self.values.append(getattr(self, f"_{kind}")(source))

    def model(self, outputs: int) -> ir.Model:
        """Return the graph with its last values as outputs."""
        graph = ir.Graph(
            [self._input],
            self.values[1:][-outputs:],
            nodes=self._nodes,
            initializers=self._constants,
            opset_imports={"": 21},
            name="g",
        )
        model = ir.Model(graph, ir_version=10)
        ShapeInferencePass()(model)
        return model

    def _node(
        self, op_type: str, inputs: list[ir.Value], shape: tuple[int, ...], **attributes: object
    ) -> ir.Value:
        node = ir.node(op_type, inputs, attributes)
        out = node.outputs[0]
        out.name = f"v{len(self._nodes)}"
        out.shape, out.type = ir.Shape(shape), ir.TensorType(ir.DataType.FLOAT)
        self._nodes.append(node)
        return out

    def _constant(self, array: np.ndarray) -> ir.Value:
        name = f"c{len(self._constants)}"
        value = ir.Value(name=name, const_value=ir.Tensor(array, name=name))
        value.shape, value.dtype = ir.Shape(array.shape), value.const_value.dtype
        self._constants.append(value)
        return value

    def _random(self, *shape: int) -> ir.Value:
        rng = np.random.default_rng(len(self._constants))
        return self._constant(rng.normal(size=shape).astype(np.float32))

    def _conv(self, source: ir.Value) -> ir.Value:
        channels = self._draw(st.sampled_from(_CHANNELS))
        _, inputs, height, width = shape_of(source)
        weight = self._random(channels, inputs, 3, 3)
        return self._node("Conv", [source, weight], (1, channels, height, width), pads=[1, 1, 1, 1])

    def _pool(self, source: ir.Value) -> ir.Value:
        return self._node(
            "MaxPool", [source], shape_of(source), kernel_shape=[3, 3], pads=[1, 1, 1, 1]
        )

    def _relu(self, source: ir.Value) -> ir.Value:
        return self._node("Relu", [source], shape_of(source))

    def _scale(self, source: ir.Value) -> ir.Value:
        factor = self._random(shape_of(source)[1], 1, 1)
        return self._node("Mul", [source, factor], shape_of(source))

    def _join(self, source: ir.Value) -> ir.Value:
        others = [v for v in self.values if shape_of(v)[2:] == shape_of(source)[2:]]
        other = self._draw(st.sampled_from(others))
        shape = list(shape_of(source))
        shape[1] += shape_of(other)[1]
        return self._node("Concat", [source, other], tuple(shape), axis=1)

    def _add(self, source: ir.Value) -> ir.Value:
        others = [v for v in self.values if shape_of(v) == shape_of(source)]
        other = self._draw(st.sampled_from(others))
        return self._node("Add", [source, other], shape_of(source))

    def _mean(self, source: ir.Value) -> ir.Value:
        axes = self._constant(np.asarray([1], np.int64))
        shape = (1, 1, *shape_of(source)[2:])
        mean = self._node("ReduceMean", [source, axes], shape, keepdims=1)
        return self._node("Sub", [source, mean], shape_of(source))

    def _swap(self, source: ir.Value) -> ir.Value:
        perm = self._draw(st.sampled_from([[0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [0, 2, 1, 3]]))
        shape = tuple(shape_of(source)[axis] for axis in perm)
        return self._node("Transpose", [source], shape, perm=perm)

    def _fold(self, source: ir.Value) -> ir.Value:
        _, channels, height, width = shape_of(source)
        shape = (1, channels * height, 1, width)
        target = self._constant(np.asarray(shape, np.int64))
        return self._node("Reshape", [source, target], shape)

    def _product(self, source: ir.Value) -> ir.Value:
        width = shape_of(source)[-1]
        return self._node("MatMul", [source, self._random(width, width)], shape_of(source))

    def _softmax(self, source: ir.Value) -> ir.Value:
        return self._node("Softmax", [source], shape_of(source), axis=1)


_KINDS = sorted(
    name[1:]
    for name in vars(_Grower)
    if name.startswith("_")
    and name not in ("_node", "_constant", "_random")
    and not name.startswith("__")
)


@st.composite
def random_graphs(draw: st.DrawFn, max_nodes: int = 8) -> ir.Model:
    """Return a float model of up to *max_nodes* random steps, with one or two outputs."""
    grower = _Grower(draw)
    for _ in range(draw(st.integers(1, max_nodes))):
        grower.grow()
    return grower.model(draw(st.integers(1, 2)))
