"""Graphs whose channels are coupled in every way that common architectures know."""

from collections.abc import Callable

import numpy as np
import onnx_ir as ir

from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of


def inferred(text: str, **constants: object) -> ir.Model:
    """Return the graph *text* with its shapes."""
    model = graph_of(text, **constants)  # type: ignore[arg-type]
    InferShapes().run(model, PassContext())
    return model


def padded_shortcut() -> ir.Model:
    """A residual block that doubles its channels by padding the shortcut with zeros (CIFAR)."""
    return inferred(
        """g (float[N,3,8,8] x) => (float[N,5] y) {
            a = Conv<pads=[1,1,1,1]>(x, w0, b0)
            c = Conv<pads=[1,1,1,1], strides=[2,2]>(a, w1)
            s = Slice(a, starts, ends, axes, steps)
            p = Pad(s, pads)
            t = Add(c, p)
            r = Relu(t)
            d = Conv<pads=[1,1,1,1]>(r, w2)
            m = GlobalAveragePool(d)
            f = Reshape(m, rows)
            y = Gemm<transB=1>(f, w3)
        }""",
        w0=gaussian(4, 3, 3, 3), b0=gaussian(4), w1=gaussian(8, 4, 3, 3), w2=gaussian(6, 8, 3, 3),
        w3=gaussian(5, 6), starts=np.array([0, 0]), ends=np.array([99, 99]), axes=np.array([2, 3]),
        steps=np.array([2, 2]), pads=np.array([0, 2, 0, 0, 0, 2, 0, 0]), rows=np.array([-1, 6]),
    )  # fmt: skip


def shuffle() -> ir.Model:
    """Halves that are split off, joined and shuffled by reshapes (ShuffleNetV2)."""
    return inferred(
        """g (float[N,3,4,4] x) => (float[N,4,4,4] y) {
            a = Conv(x, w0, b0)
            l, r = Split<axis=1, num_outputs=2>(a)
            b = Conv(r, w1, b1)
            e = Conv<group=6, pads=[1,1,1,1]>(b, w2)
            j = Concat<axis=1>(l, e)
            g = Reshape(j, two)
            t = Transpose<perm=[0,2,1,3,4]>(g)
            k = Reshape(t, one)
            y = Conv(k, w3, b3)
        }""",
        w0=gaussian(12, 3, 1, 1), b0=gaussian(12), w1=gaussian(6, 6, 1, 1), b1=gaussian(6),
        w2=gaussian(6, 1, 3, 3), w3=gaussian(4, 12, 1, 1), b3=gaussian(4),
        two=np.array([-1, 2, 6, 4, 4]), one=np.array([-1, 12, 4, 4]),
    )  # fmt: skip


def grouped_shuffle() -> ir.Model:
    """Grouped convolutions around a shuffle of three groups over a Concat (ShuffleNetV1)."""
    return inferred(
        """g (float[N,4,4,4] x) => (float[N,2,4,4] y) {
            a = Conv(x, w0)
            b = Conv(x, w1, b1)
            j = Concat<axis=1>(a, b)
            g = Reshape(j, split)
            t = Transpose<perm=[0,2,1,3,4]>(g)
            k = Reshape(t, whole)
            c = Conv<group=3>(k, w2, b2)
            r = Relu(c)
            y = Conv(r, w3)
        }""",
        w0=gaussian(4, 4, 1, 1), w1=gaussian(8, 4, 1, 1), b1=gaussian(8), w2=gaussian(6, 4, 1, 1),
        b2=gaussian(6), w3=gaussian(2, 6, 1, 1), split=np.array([-1, 3, 4, 4, 4]),
        whole=np.array([-1, 12, 4, 4]),
    )  # fmt: skip


def excitation() -> ir.Model:
    """Depthwise convolution with a multiplier, squeeze and excitation, and a clamp."""
    return inferred(
        """g (float[N,3,6,6] x) => (float[N,7] y) {
            a = Conv(x, w0, b0)
            c = Clip(a, low, high)
            d = Conv<group=4, pads=[1,1,1,1]>(c, w1, b1)
            m = ReduceMean<keepdims=1>(d, spatial)
            e = Conv(m, w2, b2)
            f = Relu(e)
            h = Conv(f, w3, b3)
            s = HardSigmoid(h)
            q = Mul(d, s)
            z = ReduceMean<keepdims=0>(q, spatial)
            y = Gemm<transB=1>(z, w4, b4)
        }""",
        w0=gaussian(4, 3, 1, 1), b0=gaussian(4), w1=gaussian(8, 1, 3, 3), b1=gaussian(8),
        w2=gaussian(6, 8, 1, 1), b2=gaussian(6), w3=gaussian(8, 6, 1, 1), b3=gaussian(8),
        w4=gaussian(7, 8), b4=gaussian(7), low=np.float32(0), high=np.float32(6),
        spatial=np.array([2, 3]),
    )  # fmt: skip


def decoder() -> ir.Model:
    """A U-shape: transposed convolution, plain and grouped, a skip by Concat, resizing, PReLU."""
    return inferred(
        """g (float[N,2,8,8] x) => (float[N,3,8,8] y) {
            a = Conv<pads=[1,1,1,1]>(x, w0, b0)
            n = InstanceNormalization(a, scale, shift)
            d = MaxPool<kernel_shape=[2,2], strides=[2,2]>(n)
            b = Conv<pads=[1,1,1,1]>(d, w1, b1)
            s = PRelu(b, slope)
            u = ConvTranspose<strides=[2,2]>(s, w2, b2)
            v = ConvTranspose<strides=[2,2], group=2>(s, w3, b3)
            r = Resize<mode="nearest">(s, , , sizes)
            j = Concat<axis=1>(n, u, v, r)
            y = Conv<pads=[1,1,1,1]>(j, w4, b4)
        }""",
        w0=gaussian(4, 2, 3, 3), b0=gaussian(4), scale=gaussian(4), shift=gaussian(4),
        w1=gaussian(6, 4, 3, 3), b1=gaussian(6), slope=gaussian(6, 1, 1), w2=gaussian(6, 5, 2, 2),
        b2=gaussian(5), w3=gaussian(6, 4, 2, 2), b3=gaussian(8), sizes=np.array([2, 6, 8, 8]),
        w4=gaussian(3, 23, 3, 3), b4=gaussian(3),
    )  # fmt: skip


def attention() -> ir.Model:
    """Packed projections of 2 heads of 4, a masked softmax, a gated FFN, layer norm, embeddings."""
    return inferred(
        """g (int64[N,5] ids, float[N,1,1,5] mask) => (float[N,5,8] y) {
            e = Gather(table, ids)
            p = Add(e, position)
            h = LayerNormalization<axis=-1>(p, ln_scale, ln_shift)
            qkv = MatMul(h, w0)
            qkvb = Add(qkv, b0)
            s = Reshape(qkvb, heads)
            t = Transpose<perm=[2,0,3,1,4]>(s)
            q = Gather<axis=0>(t, zero)
            k = Gather<axis=0>(t, one)
            v = Gather<axis=0>(t, two)
            kt = Transpose<perm=[0,1,3,2]>(k)
            l = MatMul(q, kt)
            m = Add(l, mask)
            a = Softmax<axis=-1>(m)
            o = MatMul(a, v)
            ot = Transpose<perm=[0,2,1,3]>(o)
            f = Reshape(ot, flat)
            r = MatMul(f, w1)
            x1 = Add(p, r)
            up = MatMul(x1, w2)
            ga = MatMul(x1, w3)
            sg = Sigmoid(ga)
            mm = Mul(up, sg)
            dn = MatMul(mm, w4)
            y = Add(x1, dn)
        }""",
        table=gaussian(11, 8), position=gaussian(5, 8), ln_scale=gaussian(8), ln_shift=gaussian(8),
        w0=gaussian(8, 24), b0=gaussian(24), w1=gaussian(8, 8), w2=gaussian(8, 12),
        w3=gaussian(8, 12), w4=gaussian(12, 8), heads=np.array([0, 5, 3, 2, 4]),
        flat=np.array([0, 5, 8]), zero=np.array(0), one=np.array(1), two=np.array(2),
    )  # fmt: skip


def recurrence() -> ir.Model:
    """An embedding, a bidirectional LSTM, a GRU with a computed first state, a classifier."""
    return inferred(
        """g (int64[6,N] ids) => (float[N,4] y) {
            e = Gather(table, ids)
            l = LSTM<hidden_size=5, direction="bidirectional">(e, w0, r0, b0)
            t = Transpose<perm=[0,2,1,3]>(l)
            f = Reshape(t, flat)
            s = Shape<start=1, end=2>(ids)
            d = Concat<axis=0>(one, s, width)
            h0 = ConstantOfShape(d)
            g, h = GRU<hidden_size=6, linear_before_reset=1>(f, w1, r1, b1, , h0)
            z = Squeeze(h, zero)
            y = Gemm<transB=1>(z, w2, b2)
        }""",
        table=gaussian(9, 7), w0=gaussian(2, 20, 7), r0=gaussian(2, 20, 5), b0=gaussian(2, 40),
        w1=gaussian(1, 18, 10), r1=gaussian(1, 18, 6), b1=gaussian(1, 36), w2=gaussian(4, 6),
        b2=gaussian(4), flat=np.array([6, -1, 10]), one=np.array([1]), width=np.array([6]),
        zero=np.array([0]),
    )  # fmt: skip


def cuts() -> ir.Model:
    """Slices that take every second channel or reverse them, tiles, and moves to and from depth."""
    return inferred(
        """g (float[N,2,4,4] x) => (float[N,3,8,8] y) {
            a = Conv(x, w0, b0)
            e = Slice(a, starts, ends, axes, steps)
            r = Slice(a, last, first, axes, back)
            k = Gather<axis=1>(a, picked)
            j = Concat<axis=1>(e, r, k)
            t = Tile(j, repeats)
            b = Conv(t, w1, b1)
            u = DepthToSpace<blocksize=2, mode="CRD">(b)
            v = SpaceToDepth<blocksize=2>(u)
            c = Conv(v, w2, b2)
            d = DepthToSpace<blocksize=2>(c)
            y = Conv(d, w3)
        }""",
        w0=gaussian(8, 2, 1, 1), b0=gaussian(8), starts=np.array([1]), ends=np.array([99]),
        axes=np.array([1]), steps=np.array([2]), last=np.array([-1]), first=np.array([-99]),
        back=np.array([-1]), picked=np.array([3, 0, -1]), repeats=np.array([1, 2, 1, 1]),
        w1=gaussian(12, 30, 1, 1), b1=gaussian(12), w2=gaussian(16, 12, 1, 1), b2=gaussian(16),
        w3=gaussian(3, 4, 1, 1),
    )  # fmt: skip


def norms() -> ir.Model:
    """Group normalization, batch normalization, an Einsum, an operator that no rule knows."""
    return inferred(
        """g (float[N,2,4,4] x) => (float[N,4,16] y) <float[N,8,4,4] n> {
            a = Conv(x, w0, b0)
            n = GroupNormalization<num_groups=4>(a, scale, shift)
            b = Conv(n, w1, b1)
            m = BatchNormalization(b, gamma, beta, mean, variance)
            f = Reshape(m, flat)
            e = Einsum<equation="bct,co->bot">(f, w2)
            u = Einsum<equation="bct,co->bot">(f, w3)
            k, i = TopK<axis=1>(u, four)
            y = Add(e, k)
        }""",
        w0=gaussian(8, 2, 1, 1), b0=gaussian(8), scale=gaussian(8), shift=gaussian(8),
        w1=gaussian(6, 8, 1, 1), b1=gaussian(6), gamma=gaussian(6), beta=gaussian(6),
        mean=gaussian(6), variance=np.abs(gaussian(6)) + np.float32(0.5), flat=np.array([0, 6, 16]),
        w2=gaussian(6, 4), w3=gaussian(6, 9), four=np.array([4]),
    )  # fmt: skip


def token_heads() -> ir.Model:
    """Heads that are merged with the open batch axis: they stay, what is within them may go."""
    return inferred(
        """g (float[N,6,4] x) => (float[N,6,3] y) {
            h = MatMul(x, w0)
            s = Reshape(h, split)
            t = Transpose<perm=[0,2,1,3]>(s)
            m = Reshape(t, merged)
            r = Relu(m)
            b = Reshape(r, apart)
            u = Transpose<perm=[0,2,1,3]>(b)
            f = Reshape(u, flat)
            y = MatMul(f, w1)
        }""",
        w0=gaussian(4, 8), w1=gaussian(8, 3), split=np.array([-1, 6, 2, 4]),
        merged=np.array([-1, 6, 4]), apart=np.array([-1, 2, 6, 4]), flat=np.array([-1, 6, 8]),
    )  # fmt: skip


# Each graph with the sizes of the dimensions that can shrink, by hand, in the order of the graph.
GRAPHS: dict[str, tuple[Callable[[], ir.Model], list[int]]] = {
    "padded_shortcut": (padded_shortcut, [4, 4, 6]),
    "shuffle": (shuffle, [6, 6]),
    "grouped_shuffle": (grouped_shuffle, [2]),
    "excitation": (excitation, [4, 2, 6]),
    "decoder": (decoder, [4, 2, 3, 5, 4]),
    "attention": (attention, [2, 4, 12]),
    "recurrence": (recurrence, [7, 5, 6]),
    "cuts": (cuts, [2, 2, 3, 3, 4]),
    "norms": (norms, [4, 6]),
    "token_heads": (token_heads, [4]),
}
