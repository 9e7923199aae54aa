"""Random convolutional networks as exporters write them, with every oddity that passes look for."""

from collections.abc import Callable

import hypothesis.strategies as st
import numpy as np
import onnx_ir as ir

from tests.graphs import gaussian, graph_of

OPSETS = (11, 13, 17, 18, 21)
Shape = tuple[int, int, int]


class _Builder:
    """Collects lines of ONNX text; ``x`` is the value that the next layer reads."""

    def __init__(self, draw: st.DrawFn, opset: int) -> None:
        self.draw, self.opset = draw, opset
        self.lines: list[str] = []
        self.constants: dict[str, np.ndarray] = {}
        self.value, self.shape = "x", (draw(st.sampled_from([2, 4])), 6, 6)
        self.earlier: list[tuple[str, Shape]] = []

    def constant(self, array: np.ndarray) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = array
        return name

    def weight(self, *shape: int) -> str:
        seed = len(self.constants)
        fan_in = max(1, int(np.prod(shape[1:])))
        return self.constant(gaussian(*shape, seed=seed, scale=float(1 / np.sqrt(fan_in))))

    def emit(self, text: str, shape: Shape | None = None) -> None:
        self.earlier.append((self.value, self.shape))
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.value, self.shape = name, shape or self.shape

    def convolution(self) -> None:
        channels, height, width = self.shape
        kernel = self.draw(st.sampled_from([k for k in (1, 2, 3) if k <= min(height, width)]))
        stride = self.draw(st.sampled_from([1, 1, 2]))
        pads = [self.draw(st.integers(0, kernel - 1)) for _ in range(4)]
        group = self.draw(st.sampled_from([1, 1, channels]))
        outputs = (
            group * self.draw(st.sampled_from([1, 2]))
            if group > 1
            else self.draw(st.sampled_from([2, 4, 6]))
        )
        weight = self.weight(outputs, channels // group, kernel, kernel)
        bias = f", {self.weight(outputs)}" if self.draw(st.booleans()) else ""
        size = [
            (length + pads[i] + pads[i + 2] - kernel) // stride + 1
            for i, length in enumerate((height, width))
        ]
        attributes = f"group={group}, strides=[{stride},{stride}], pads={pads}"
        self.emit(f"Conv<{attributes}>({self.value}, {weight}{bias})", (outputs, size[0], size[1]))

    def normalization(self) -> None:
        channels = self.shape[0]
        operands = [self.weight(channels) for _ in range(3)]
        variance = self.constant(np.abs(gaussian(channels, seed=len(self.constants))) + 0.5)
        operands[0] = self.constant(gaussian(channels, seed=len(self.constants)) + 1)
        self.emit(f"BatchNormalization({', '.join([self.value, *operands, variance])})")

    def activation(self) -> None:
        zero, six = (self.constant(np.float32(bound)) for bound in (0, 6))
        kinds = [
            "Relu({0})",
            f"Clip({{0}}, {zero}, {six})",
            "Sigmoid({0})",
            "Tanh({0})",
            "Neg({0})",
        ]
        self.emit(self.draw(st.sampled_from(kinds)).format(self.value))

    def gate(self) -> None:
        source = self.value
        self.emit(f"Sigmoid({source})")
        self.emit(f"Mul({source}, {self.value})")

    def padding(self) -> None:
        channels, height, width = self.shape
        pads = self.constant(np.array([0, 0, 1, 0, 0, 0, 0, 2]))
        self.emit(f"Pad({self.value}, {pads})", (channels, height + 1, width + 2))

    def pooling(self) -> None:
        channels, height, width = self.shape
        if min(height, width) < 2:
            return
        kind = self.draw(st.sampled_from(["MaxPool", "AveragePool"]))
        self.emit(
            f"{kind}<kernel_shape=[2,2], strides=[2,2]>({self.value})",
            (channels, height // 2, width // 2),
        )

    def residual(self) -> None:
        same = [value for value, shape in self.earlier if shape == self.shape]
        if same:
            self.emit(f"Add({self.value}, {self.draw(st.sampled_from(same))})")

    def join(self) -> None:
        same = [(v, s) for v, s in self.earlier if s[1:] == self.shape[1:] and s[0] < 8]
        if same and self.shape[0] < 8:
            other, shape = self.draw(st.sampled_from(same))
            total = (self.shape[0] + shape[0], *self.shape[1:])
            self.emit(f"Concat<axis=1>({self.value}, {other})", total)

    def nothing(self) -> None:
        kinds = ["Identity({0})", "Dropout({0})", "Transpose<perm=[0,1,2,3]>({0})"]
        self.emit(self.draw(st.sampled_from(kinds)).format(self.value))

    def squeeze_and_excite(self) -> None:
        source, (channels, height, width) = self.value, self.shape
        axes = self.constant(np.array([2, 3]))
        mean = "ReduceMean<axes=[2,3]>({0})" if self.opset < 18 else f"ReduceMean({{0}}, {axes})"
        self.emit(mean.format(source), (channels, 1, 1))
        self.emit(f"Conv({self.value}, {self.weight(channels, channels, 1, 1)})")
        self.emit(f"Sigmoid({self.value})")
        self.emit(f"Mul({source}, {self.value})", (channels, height, width))

    def classifier(self) -> None:
        channels, height, width = self.shape
        units = channels * height * width
        flat, product, result = "flat", "product", "y"
        self.lines.append(f"{flat} = Flatten({self.value})")
        if self.draw(st.booleans()):
            weight, bias = self.weight(units, 3), self.weight(3)
            self.lines.append(f"{product} = MatMul({flat}, {weight})")
            self.lines.append(f"{result} = Add({product}, {bias})")
        else:
            weight, bias = self.weight(units, 3), self.weight(3)
            self.lines.append(f"{result} = Gemm<alpha=0.5>({flat}, {weight}, {bias})")


_LAYERS: list[Callable[[_Builder], None]] = [
    _Builder.convolution, _Builder.convolution, _Builder.normalization, _Builder.activation,
    _Builder.activation, _Builder.gate, _Builder.padding, _Builder.pooling, _Builder.residual,
    _Builder.join, _Builder.nothing, _Builder.squeeze_and_excite,
]  # fmt: skip


@st.composite
def networks(draw: st.DrawFn) -> ir.Model:
    """Draw a network of up to ten layers with one input and one output of three numbers."""
    builder = _Builder(draw, draw(st.sampled_from(OPSETS)))
    channels = builder.shape[0]
    for layer in draw(st.lists(st.sampled_from(_LAYERS), min_size=1, max_size=10)):
        layer(builder)
    builder.classifier()
    body = "\n".join(builder.lines)
    text = f"g (float[N,{channels},6,6] x) => (float[N,3] y) {{ {body} }}"
    return graph_of(text, opset=builder.opset, **builder.constants)
