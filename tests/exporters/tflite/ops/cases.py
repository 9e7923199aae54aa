# ruff: noqa: E501 (a graph is one line)
"""One line a form of an operator: the graph, and for integers the range of each activation.

The first graph input and those whose names start with ``x`` are fed; the others become random
constants.
"""

from tests.exporters.tflite.harness import Range
from tests.exporters.tflite.ops.more_cases import MORE

FLOAT: dict[str, list[str]] = {
    "convolution": [
        "g (float[1,3,8,9] x, float[4,3,3,3] w, float[4] b) => (float[1,4,8,9] y) { y = Conv<pads=[1,1,1,1]>(x, w, b) }",
        "g (float[1,3,8,8] x, float[4,3,3,3] w) => (float[1,4,4,4] y) { y = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w) }",
        "g (float[1,3,7,7] x, float[4,3,3,3] w) => (float[1,4,4,4] y) { y = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w) }",
        "g (float[1,3,8,8] x, float[4,3,3,3] w) => (float[1,4,4,4] y) { y = Conv<pads=[0,0,1,1], strides=[2,2]>(x, w) }",
        "g (float[1,3,9,9] x, float[4,3,3,3] w) => (float[1,4,9,9] y) { y = Conv<pads=[2,2,2,2], dilations=[2,2]>(x, w) }",
        'g (float[1,3,8,8] x, float[4,3,3,3] w) => (float[1,4,4,4] y) { y = Conv<auto_pad="SAME_LOWER", strides=[2,2]>(x, w) }',
        "g (float[1,6,8,8] x, float[6,1,3,3] w, float[6] b) => (float[1,6,8,8] y) { y = Conv<group=6, pads=[1,1,1,1]>(x, w, b) }",
        "g (float[1,3,8,8] x, float[6,1,3,3] w, float[6] b) => (float[1,6,6,6] y) { y = Conv<group=3>(x, w, b) }",
        "g (float[1,3,9,9] x, float[3,1,3,3] w) => (float[1,3,5,5] y) { y = Conv<group=3, dilations=[2,2]>(x, w) }",
        "g (float[1,8,8,8] x, float[6,4,3,3] w, float[6] b) => (float[1,6,8,8] y) { y = Conv<group=2, pads=[1,1,1,1]>(x, w, b) }",
        "g (float[2,4,10] x, float[5,4,3] w, float[5] b) => (float[2,5,10] y) { y = Conv<pads=[1,1]>(x, w, b) }",
    ],
    "transposed_convolution": [
        "g (float[1,3,4,5] x, float[3,4,4,4] w, float[4] b) => (float[1,4,8,10] y) { y = ConvTranspose<strides=[2,2], pads=[1,1,1,1]>(x, w, b) }",
        "g (float[1,3,4,5] x, float[3,4,3,3] w) => (float[1,4,8,10] y) { y = ConvTranspose<strides=[2,2], pads=[1,1,1,1], output_padding=[1,1]>(x, w) }",
        "g (float[1,3,4,5] x, float[3,4,2,2] w, float[4] b) => (float[1,4,8,10] y) { y = ConvTranspose<strides=[2,2]>(x, w, b) }",
        "g (float[1,3,6] x, float[3,4,3] w) => (float[1,4,8] y) { y = ConvTranspose(x, w) }",
    ],
    "pooling": [
        "g (float[1,3,8,8] x) => (float[1,3,4,4] y) { y = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }",
        "g (float[1,3,8,8] x) => (float[1,3,4,4] y) { y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]>(x) }",
        "g (float[1,3,8,8] x) => (float[1,3,4,4] y) { r = Relu(x) y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]>(r) }",
        "g (float[1,3,7,7] x) => (float[1,3,4,4] y) { y = MaxPool<kernel_shape=[2,2], strides=[2,2], ceil_mode=1>(x) }",
        "g (float[1,3,7,7] x) => (float[1,3,7,7] y) { y = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x) }",
        "g (float[1,3,7,7] x) => (float[1,3,7,7] y) { y = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1>(x) }",
        "g (float[1,3,8] x) => (float[1,3,4] y) { y = AveragePool<kernel_shape=[2], strides=[2]>(x) }",
        "g (float[1,3,6,5] x) => (float[1,3,1,1] y) { y = GlobalAveragePool(x) }",
        "g (float[1,3,6,5] x) => (float[1,3,1,1] y) { y = GlobalMaxPool(x) }",
    ],
    "fully_connected": [
        "g (float[2,8] x, float[5,8] w, float[5] b) => (float[2,5] y) { y = Gemm<transB=1>(x, w, b) }",
        "g (float[2,8] x, float[8,5] w) => (float[2,5] y) { y = Gemm(x, w) }",
        "g (float[2,8] x, float[8,5] w, float[1,5] b) => (float[2,5] y) { y = Gemm<alpha=0.5, beta=2.0>(x, w, b) }",
        "g (float[8,2] x, float[8,5] w, float[2,5] b) => (float[2,5] y) { y = Gemm<transA=1, alpha=0.5, beta=2.0>(x, w, b) }",
        "g (float[2,8] x, float[5,8] x2) => (float[2,5] y) { y = Gemm<transB=1>(x, x2) }",
        "g (float[2,3,8] x, float[8,5] w) => (float[2,3,5] y) { y = MatMul(x, w) }",
        "g (float[8] x, float[8,5] w) => (float[5] y) { y = MatMul(x, w) }",
        "g (float[2,4,3,8] x, float[2,4,8,5] x2) => (float[2,4,3,5] y) { y = MatMul(x, x2) }",
        "g (float[2,4,3,8] x, float[8,5] x2) => (float[2,4,3,5] y) { y = MatMul(x, x2) }",
        "g (float[1,4,3,8] x, float[1,5,4,8] x2) => (float[1,4,3,5] y) { t = Transpose<perm=[0,2,3,1]>(x2) y = MatMul(x, t) }",
    ],
    "binary": [
        *(
            f"g (float[1,4,5,6] x, float[1,4,5,6] x2) => (float[1,4,5,6] y) {{ y = {op}(x, x2) }}"
            for op in ("Add", "Sub", "Mul", "Max", "Min", "Sum", "Mean")
        ),
        "g (float[1,4,5,6] x, float[4,1,1] c) => (float[1,4,5,6] y) { y = Mul(x, c) }",
        "g (float[1,4,5,6] x, float[6] c) => (float[1,4,5,6] y) { y = Sub(c, x) }",
        "g (float[1,4,5,6] x, float[4,1,1] x2) => (float[1,4,5,6] y) { y = Add(x, x2) }",
        "g (float[1,4] x, float[1,4] x2, float[1,4] x3) => (float[1,4] y) { y = Max(x, x2, x3) }",
        "g (float[1,4] x) => (float[1,4] y) { y = Reciprocal(x) }",
    ],
    "unary": [
        *(
            f"g (float[1,4,6] x) => (float[1,4,6] y) {{ y = {op}(x) }}"
            for op in [
                "Abs",
                "Ceil",
                "Cos",
                "Exp",
                "Floor",
                "Neg",
                "Round",
                "Sigmoid",
                "Sign",
                "Sin",
                "Tanh",
            ]
        ),
        *(
            f"g (float[1,4,6] x) => (float[1,4,6] y) {{ a = Abs(x) y = {op}(a) }}"
            for op in ("Log", "Sqrt")
        ),
    ],
    "activation": [
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = Relu(x) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) <float a = {0.0}, float b = {6.0}> { y = Clip(x, a, b) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) <float a = {-1.0}, float b = {1.0}> { y = Clip(x, a, b) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) <float a = {0.0}, float b = {1.0}> { y = Clip(x, a, b) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) <float a = {-0.5}, float b = {2.0}> { y = Clip(x, a, b) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) <float b = {2.0}> { y = Clip(x, , b) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = HardSigmoid<alpha=0.16666667>(x) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = HardSigmoid(x) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = HardSwish(x) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = LeakyRelu<alpha=0.2>(x) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = Gelu(x) }",
        'g (float[1,4,6] x) => (float[1,4,6] y) { y = Gelu<approximate="tanh">(x) }',
        "g (float[1,4,6,5] x, float[4,1,1] s) => (float[1,4,6,5] y) { y = PRelu(x, s) }",
        "g (float[1,4,6] x) => (float[1,4,6] y) { y = Softplus(x) }",
    ],
    "logic": [
        *(
            f"g (float[1,4,6] x, float[1,4,6] x2) => (bool[1,4,6] y) {{ a = Round(x) b = Round(x2) y = {op}(a, b) }}"
            for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
        ),
        *(
            f"g (float[1,4,6] x, float[1,4,6] x2) => (bool[1,4,6] y) {{ a = Less(x, x2) b = Less(x2, x) c = Not(a) y = {op}(b, c) }}"
            for op in ("And", "Or")
        ),
        "g (float[1,4,6] x, float[6] x2, float[1,1,1] c) => (float[1,4,6] y) { a = Less(x, x2) y = Where(a, c, x) }",
    ],
    "softmax": [
        "g (float[2,5,6] x) => (float[2,5,6] y) { y = Softmax<axis=-1>(x) }",
        "g (float[1,5,3,4] x) => (float[1,5,3,4] y) { y = Softmax<axis=1>(x) }",
        "g (float[2,5,6] x) => (float[2,5,6] y) { y = LogSoftmax<axis=2>(x) }",
    ],
    "reshape": [
        "g (float[2,3,4] x) => (float[6,4] y) <int64[2] s = {-1, 4}> { y = Reshape(x, s) }",
        "g (float[1,3,4,5] x) => (float[1,60] y) { y = Flatten(x) }",
        "g (float[1,3,1,5] x) => (float[3,5] y) <int64[2] a = {0, 2}> { y = Squeeze(x, a) }",
        "g (float[3,5] x) => (float[1,3,1,5] y) <int64[2] a = {0, 2}> { y = Unsqueeze(x, a) }",
        "g (float[3,5] x) => (float[3,5] y) { y = Identity(x) }",
        "g (float[3,5] x) => (float[3,5] y) { z = Relu(x) y = Dropout(z) }",
    ],
    "transpose": [
        "g (float[2,3,4,5] x) => (float[2,4,3,5] y) { y = Transpose<perm=[0,2,1,3]>(x) }",
        "g (float[2,3,4] x) => (float[4,3,2] y) { y = Transpose(x) }",
        "g (float[1,2,3,4,5] x) => (float[1,3,2,4,5] y) { y = Transpose<perm=[0,2,1,3,4]>(x) }",
    ],
    "slice": [
        "g (float[1,8,6] x) => (float[1,3,6] y) <int64[1] s={2}, int64[1] e={5}, int64[1] a={1}> { y = Slice(x, s, e, a) }",
        "g (float[1,8,6] x) => (float[1,4,2] y) <int64[2] s={0,-2}, int64[2] e={100,9}, int64[2] a={1,2}, int64[2] t={2,1}> { y = Slice(x, s, e, a, t) }",
        "g (float[1,8,6] x) => (float[1,8,6] y) <int64[1] s={-1}, int64[1] e={-100}, int64[1] a={1}, int64[1] t={-1}> { y = Slice(x, s, e, a, t) }",
        "g (float[1,8,6] x) => (float[1,4,6] y, float[1,4,6] z) { y, z = Split<axis=1, num_outputs=2>(x) }",
        "g (float[1,8,6] x) => (float[1,3,6] y, float[1,5,6] z) <int64[2] n={3,5}> { y, z = Split<axis=1>(x, n) }",
    ],
    "gather": [
        "g (float[1,8,6] x) => (float[1,6] y) <int64 i={-1}> { y = Gather<axis=1>(x, i) }",
        "g (float[1,8,6] x) => (float[1,3,6] y) <int64[3] i={5,0,2}> { y = Gather<axis=1>(x, i) }",
        "g (float[1,8,6] x) => (float[1,2,2,6] y) <int64[2,2] i={5,0,2,2}> { y = Gather<axis=1>(x, i) }",
        "g (int64[1,5] x, float[9,4] w) => (float[1,5,4] y) { y = Gather(w, x) }",
        "g (float[4,6] x, int64[3] x_i) => (float[3,6] y) { y = Gather(x, x_i) }",
    ],
    "concat": [
        "g (float[1,3,4,4] x, float[1,2,4,4] x2) => (float[1,5,4,4] y) { y = Concat<axis=1>(x, x2) }",
        "g (float[1,3,4] x, float[1,3,2] c) => (float[1,3,6] y) { y = Concat<axis=-1>(x, c) }",
    ],
    "pad": [
        "g (float[1,3,4,4] x) => (float[1,3,6,7] y) <int64[8] p={0,0,1,1,0,0,1,2}> { y = Pad(x, p) }",
        "g (float[1,3,4,4] x) => (float[1,3,6,7] y) <int64[4] p={1,1,1,2}, float v={1.5}, int64[2] a={2,3}> { y = Pad(x, p, v, a) }",
        "g (float[1,3,4,4] x) => (float[1,3,2,7] y) <int64[8] p={0,0,-1,1,0,0,-1,2}> { y = Pad(x, p) }",
        'g (float[1,3,4,4] x) => (float[1,3,6,7] y) <int64[8] p={0,0,1,1,0,0,1,2}> { y = Pad<mode="reflect">(x, p) }',
    ],
    "reduction": [
        *(
            f"g (float[1,3,4,5] x) => (float[1,3,1,1] y) <int64[2] a={{2,3}}> {{ y = {op}(x, a) }}"
            for op in [
                "ReduceMean",
                "ReduceSum",
                "ReduceMax",
                "ReduceMin",
                "ReduceProd",
                "ReduceL2",
            ]
        ),
        "g (float[1,3,4,5] x) => (float[1,3] y) <int64[2] a={-1,-2}> { y = ReduceMean<keepdims=0>(x, a) }",
        "g (float[1,3,4] x) => (float[1,3,1] y) <int64[1] a={-1}> { y = ReduceMean(x, a) }",
    ],
    "convert": [
        "g (float[1,4] x) => (int32[1,4] y) { y = Cast<to=6>(x) }",
        "g (int64[1,4] x) => (float[1,4] y) { y = Cast<to=1>(x) }",
    ],
    "normalization": [
        "g (float[2,5,6] x, float[6] s, float[6] b) => (float[2,5,6] y) { y = LayerNormalization(x, s, b) }",
        "g (float[2,5,6] x, float[5,6] s) => (float[2,5,6] y) { y = LayerNormalization<axis=1>(x, s) }",
        "g (float[1,4,5,6] x, float[4] s, float[4] b) => (float[1,4,5,6] y) { y = InstanceNormalization(x, s, b) }",
        "g (float[1,4,5,6] x, float[4] s, float[4] b) => (float[1,4,5,6] y) { y = GroupNormalization<num_groups=2>(x, s, b) }",
        "g (float[1,4,5,6] x, float[4] s, float[4] b) => (float[1,4,5,6] y) <float[4] m={0.1,0.2,0.3,0.4}, float[4] v={1.0,2.0,3.0,4.0}> { y = BatchNormalization(x, s, b, m, v) }",
    ],
    "resize": [
        'g (float[1,3,4,4] x) => (float[1,3,8,8] y) <float[4] s={1,1,2,2}> { y = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(x, , s) }',
        'g (float[1,3,4,4] x) => (float[1,3,8,12] y) <float[4] s={1,1,2,3}> { y = Resize<mode="nearest">(x, , s) }',
        'g (float[1,3,4,4] x) => (float[1,3,7,9] y) <int64[4] s={1,3,7,9}> { y = Resize<mode="linear">(x, , , s) }',
        'g (float[1,3,4,4] x) => (float[1,3,7,9] y) <int64[4] s={1,3,7,9}> { y = Resize<mode="linear", coordinate_transformation_mode="align_corners">(x, , , s) }',
        'g (float[1,3,4] x) => (float[1,3,8] y) <float[3] s={1,1,2}> { y = Resize<mode="linear", coordinate_transformation_mode="pytorch_half_pixel">(x, , s) }',
    ],
    "repetition": [
        "g (float[1,3,1,1] x) => (float[1,3,4,5] y) <int64[4] s={1,3,4,5}> { y = Expand(x, s) }",
        "g (float[3,1] x) => (float[2,3,4] y) <int64[3] s={2,3,4}> { y = Expand(x, s) }",
        "g (float[1,3,2] x) => (float[2,3,6] y) <int64[3] n={2,1,3}> { y = Tile(x, n) }",
    ],
    "blocks": [
        "g (float[1,8,3,4] x) => (float[1,2,6,8] y) { y = DepthToSpace<blocksize=2>(x) }",
        'g (float[1,8,3,4] x) => (float[1,2,6,8] y) { y = DepthToSpace<blocksize=2, mode="CRD">(x) }',
        "g (float[1,2,6,8] x) => (float[1,8,3,4] y) { y = SpaceToDepth<blocksize=2>(x) }",
    ],
    "lstm": [
        f"g (float[5,{n},3] x, float[{d},16,3] w, float[{d},16,4] r, float[{d},32] b, float[{d},{n},4] {h}1, float[{d},{n},4] {h}2) => (float[5,{d},{n},4] y, float[{d},{n},4] z, float[{d},{n},4] c)"
        f' {{ y, z, c = LSTM<hidden_size=4, direction="{direction}">(x, w, r, b, , {h}1, {h}2) }}'
        for n in (1, 2)
        for direction, d in (("forward", 1), ("reverse", 1), ("bidirectional", 2))
        for h in ("x_h", "h")
    ]
    + [
        "g (float[5,1,3] x, float[1,16,3] w, float[1,16,4] r) => (float[1,1,4] z) { y, z = LSTM<hidden_size=4>(x, w, r) }",
    ],
    "gru": [
        f"g (float[5,{n},3] x, float[{d},12,3] w, float[{d},12,4] r, float[{d},24] b, float[{d},{n},4] {h}) => (float[5,{d},{n},4] y, float[{d},{n},4] z)"
        f' {{ y, z = GRU<hidden_size=4, linear_before_reset={reset}, direction="{direction}">(x, w, r, b, , {h}) }}'
        for n in (1, 2)
        for reset in (0, 1)
        for direction, d in (("forward", 1), ("reverse", 1), ("bidirectional", 2))
        for h in ("x_h", "h")
    ]
    + [
        "g (float[5,1,3] x, float[1,12,3] w, float[1,12,4] r) => (float[1,1,4] z) { y, z = GRU<hidden_size=4>(x, w, r) }",
        "g (float[5,1,3] x, float[1,12,3] w, float[1,12,4] r) => (float[1,1,4] y) <int64 i={-1}> { s, z = GRU<hidden_size=4, linear_before_reset=1>(x, w, r) y = Gather<axis=0>(s, i) }",
    ],
}

for _family, _texts in MORE.items():
    FLOAT[_family] = [*FLOAT.get(_family, []), *_texts]

INTEGER: dict[str, list[tuple[str, dict[str, Range]]]] = {
    "convolution": [
        (FLOAT["convolution"][index], {"x": (-3, 3), "y": (-4, 4)}) for index in range(11)
    ],
    "transposed_convolution": [
        (text, {"x": (-3, 3), "y": (-6, 6)})
        for text in FLOAT["transposed_convolution"]
        if "group" not in text
    ],
    "pooling": [
        (text, {"x": (-3, 3), "y": (-3, 3)})
        for text in FLOAT["pooling"]
        if "Relu" not in text and text not in MORE["pooling"]
    ],
    "fully_connected": [
        (FLOAT["fully_connected"][0], {"x": (-3, 3), "y": (-4, 4)}),
        (FLOAT["fully_connected"][5], {"x": (-3, 3), "y": (-4, 4)}),
        (FLOAT["fully_connected"][7], {"x": (-3, 3), "x2": (-3, 3), "y": (-12, 12)}),
    ],
    "binary": [
        *(
            (
                f"g (float[1,4,5,6] x, float[1,4,5,6] x2) => (float[1,4,5,6] y) {{ y = {op}(x, x2) }}",
                {"x": (-3, 3), "x2": (-2, 3), "y": (-9, 9)},
            )
            for op in ("Add", "Sub", "Mul")
        ),
        *(
            (
                f"g (float[1,4,5,6] x, float[1,4,5,6] x2) => (float[1,4,5,6] y) {{ y = {op}(x, x2) }}",
                {"x": (-3, 3), "x2": (-3, 3), "y": (-3, 3)},
            )
            for op in ("Max", "Min")
        ),
        (
            "g (float[1,4,5,6] x, float[4,1,1] c) => (float[1,4,5,6] y) { y = Mul(x, c) }",
            {"x": (-3, 3), "y": (-5, 5)},
        ),
    ],
    "unary": [
        (
            "g (float[1,4,6] x) => (float[1,4,6] y) { a = Exp(x) y = Log(a) }",
            {"x": (-2, 2), "a": (0, 7.4), "y": (-6, 2)},
        ),
        ("g (float[1,4,6] x) => (float[1,4,6] y) { y = Abs(x) }", {"x": (-3, 3), "y": (0, 3)}),
        ("g (float[1,4,6] x) => (float[1,4,6] y) { y = Exp(x) }", {"x": (-3, 3), "y": (0, 20.1)}),
        (
            "g (float[1,4,6] x) => (float[1,4,6] y) { y = Sigmoid(x) }",
            {"x": (-3, 3), "y": (0, 255 / 256)},
        ),
        (
            "g (float[1,4,6] x) => (float[1,4,6] y) { y = Tanh(x) }",
            {"x": (-3, 3), "y": (-1, 127 / 128)},
        ),
    ],
    "activation": [
        *(
            (
                f"g (float[1,4,6] x) => (float[1,4,6] y) {{ y = {op}(x) }}",
                {"x": (-3, 3), "y": (-1, 3)},
            )
            for op in ("Relu", "HardSwish", "Elu", "LeakyRelu", "Gelu")
        ),
        (FLOAT["activation"][1], {"x": (-3, 8), "y": (0, 6)}),
        (FLOAT["activation"][2], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["activation"][3], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["activation"][4], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["activation"][4], {"x": (-3, 3), "y": (-0.5, 2)}),
        (FLOAT["activation"][6], {"x": (-4, 4), "y": (0, 1)}),
        (FLOAT["activation"][7], {"x": (-4, 4), "y": (0, 1)}),
        (FLOAT["activation"][12], {"x": (-3, 3), "y": (-4, 4)}),
    ],
    "softmax": [
        (FLOAT["softmax"][0], {"x": (-3, 3), "y": (0, 255 / 256)}),
    ],
    "reshape": [(FLOAT["reshape"][0], {"x": (-3, 3), "y": (-3, 3)})],
    "transpose": [(text, {"x": (-3, 3), "y": (-3, 3)}) for text in FLOAT["transpose"]],
    "slice": [
        (FLOAT["slice"][0], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["slice"][1], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["slice"][3], {"x": (-3, 3), "y": (-3, 3), "z": (-3, 3)}),
    ],
    "gather": [
        (FLOAT["gather"][1], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["gather"][4], {"x": (-3, 3), "y": (-3, 3)}),
    ],
    "concat": [(FLOAT["concat"][0], {"x": (-3, 3), "x2": (-3, 3), "y": (-3, 3)})],
    "pad": [
        (FLOAT["pad"][0], {"x": (-3, 4), "y": (-3, 4)}),
        (FLOAT["pad"][1], {"x": (-3, 4), "y": (-3, 4)}),
        (FLOAT["pad"][3], {"x": (-3, 4), "y": (-3, 4)}),
    ],
    "reduction": [
        (FLOAT["reduction"][0], {"x": (-3, 3), "y": (-1, 1)}),
        (FLOAT["reduction"][1], {"x": (-3, 3), "y": (-20, 20)}),
        (FLOAT["reduction"][2], {"x": (-3, 3), "y": (-3, 3)}),
        (FLOAT["reduction"][3], {"x": (-3, 3), "y": (-3, 3)}),
    ],
    "resize": [(text, {"x": (-3, 3), "y": (-3, 3)}) for text in FLOAT["resize"][:4]],
    "repetition": [(text, {"x": (-3, 3), "y": (-3, 3)}) for text in FLOAT["repetition"]],
    "blocks": [(text, {"x": (-3, 3), "y": (-3, 3)}) for text in FLOAT["blocks"]],
}
