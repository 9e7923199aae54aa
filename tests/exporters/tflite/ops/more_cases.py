# ruff: noqa: E501
"""More graphs as text, by operator family: compositions, indices, sequences, rarer forms."""

_UNARY = "g (float[1,4,6] x) => (float[1,4,6] y) {{ y = {op}(x) }}"
_NARROW = "g (float[2,6] x) => (float[2,6] y) <float n = {{4.0}}> {{ a = Div(x, n) y = {op}(a) }}"
_BITS = (
    "g (int32[2,6] x, int32[2,6] x2) => (int32[2,6] y) <int32 k = {{3}}> "
    "{{ a = Mul(x, k) b = Sub(k, x2) y = {body} }}"
)
_RNN = (
    "g (float[5,{n},3] x, float[{d},4,3] w, float[{d},4,4] r, float[{d},8] b, float[{d},{n},4] x_h)"
    " => (float[5,{d},{n},4] y, float[{d},{n},4] z)"
    ' {{ y, z = RNN<hidden_size=4, direction="{direction}">(x, w, r, b, , x_h) }}'
)
_POOL = "g (float[1,3,7,9] x) => (float[1,3,{h},{w}] y) {{ y = {op}<{attributes}>(x) }}"

MORE: dict[str, list[str]] = {
    "convolution": [
        "g (float[1,3,6,6] x, float[4,3,3,3] x_w) => (float[1,4,3,3] y) { y = Conv<pads=[1,1,1,1], strides=[2,2]>(x, x_w) }",
        "g (float[1,3,6,6] x, float[3,1,3,3] x_w) => (float[1,3,4,4] y) { y = Conv<group=3>(x, x_w) }",
        "g (float[1,3,6] x, float[4,3,3] x_w) => (float[1,4,4] y) { y = Conv(x, x_w) }",
        "g (float[1,4,5,6,7] x, float[6,4,3,2,3] w, float[6] b) => (float[1,6,3,6,4] y) "
        "{ y = Conv<strides=[2,1,2], pads=[1,0,1,1,1,1]>(x, w, b) }",
        "g (float[1,4,5,6,7] x, float[6,2,2,2,2] w) => (float[1,6,4,5,6] y) { y = Conv<group=2>(x, w) }",
    ],
    "transposed_convolution": [
        "g (float[1,3,4,5] x, float[3,4,3,3] w, float[4] b) => (float[1,4,8,10] y) "
        "{ y = ConvTranspose<strides=[2,2], pads=[1,1,1,1], output_padding=[1,1]>(x, w, b) }",
        "g (float[1,4,4,5] x, float[4,3,3,2] w, float[6] b) => (float[1,6,9,10] y) "
        "{ y = ConvTranspose<strides=[2,2], group=2>(x, w, b) }",
        "g (float[1,4,4,5] x, float[4,1,4,4] w) => (float[1,4,8,10] y) "
        "{ y = ConvTranspose<strides=[2,2], pads=[1,1,1,1], group=4>(x, w) }",
        "g (float[1,3,4,5] x, float[3,4,2,3] w) => (float[1,4,6,9] y) { y = ConvTranspose<dilations=[2,2]>(x, w) }",
        'g (float[1,3,4,5] x, float[3,4,3,3] w) => (float[1,4,8,10] y) { y = ConvTranspose<strides=[2,2], auto_pad="SAME_UPPER">(x, w) }',
        'g (float[1,3,4,5] x, float[3,4,3,3] w) => (float[1,4,8,10] y) { y = ConvTranspose<strides=[2,2], auto_pad="SAME_LOWER">(x, w) }',
    ],
    "activation_forms": [
        *(
            _UNARY.format(op=op)
            for op in (
                "Elu",
                "Elu<alpha=0.5>",
                "Selu",
                "Celu<alpha=1.5>",
                "Softsign",
                "Mish",
                "Erf",
            )
        ),
        _UNARY.format(op="ThresholdedRelu<alpha=0.7>"),
        _UNARY.format(op="Shrink<lambd=0.6, bias=0.3>"),
    ],
    "trigonometry": [
        *(_UNARY.format(op=op) for op in ("Tan", "Atan", "Sinh", "Cosh", "Asinh")),
        *(_NARROW.format(op=op) for op in ("Asin", "Acos", "Atanh")),
        "g (float[2,6] x) => (float[2,6] y) <float n = {5.0}> { a = Add(x, n) y = Acosh(a) }",
    ],
    "bitwise": [
        *(
            _BITS.format(body=body)
            for body in ("BitwiseAnd(a, b)", "BitwiseOr(a, b)", "BitwiseXor(a, b)", "BitwiseNot(a)")
        ),
        'g (uint8[2,6] x) => (uint8[2,6] y) <uint8 k = {2}> { y = BitShift<direction="LEFT">(x, k) }',
        'g (uint8[2,6] x) => (uint8[2,6] y) <uint8 k = {2}> { y = BitShift<direction="RIGHT">(x, k) }',
        "g (int8[2,6] x, int8[6] x2) => (int8[2,6] y) { y = BitwiseAnd(x, x2) }",
    ],
    "division": [
        "g (float[1,4,5,6] x, float[1,4,5,6] x2) => (float[1,4,5,6] y) { y = Div(x, x2) }",
        "g (int32[2,6] x) => (int32[2,6] y) <int32 a = {5}, int32 b = {-3}> "
        "{ s = Sub(x, a) y = Div(s, b) }",
        "g (float[2,6] x) => (int64[2,1] y) <int64 b = {-3}> { a = ArgMax<axis=1>(x) y = Div(a, b) }",
        "g (int32[2,6] x) => (int32[2,6] y) <int32 a = {5}, int32 b = {3}> "
        "{ s = Sub(x, a) y = Mod(s, b) }",
        "g (float[2,6] x) => (float[2,6] y) <float b = {-0.7}> { y = Mod<fmod=1>(x, b) }",
        "g (float[1,4] x) => (float[1,4] y) <float p = {2.0}> { y = Pow(x, p) }",
        "g (int64[1,4] x) => (int64[1,4] y) <float p = {2.0}> { y = Pow(x, p) }",
    ],
    "binary": [
        f"g ({kind}[2,6] x, {kind}[6] x2) => ({kind}[2,6] y) {{ y = {op}(x, x2) }}"
        for kind in ("int64", "int32", "uint8", "int8")
        for op in ("Add", "Mul")
    ]
    + ["g (uint8[2,6] x, uint8[6] x2) => (uint8[2,6] y) { y = Max(x, x2) }"],
    "logic": [
        "g (float[2,6] x, float[6] x2) => (bool[2,6] y) { a = Less(x, x2) b = Less(x2, x) y = Xor(a, b) }",
        "g (float[2,6] x) => (bool[2,6] y) { a = Log(x) y = IsNaN(a) }",
        "g (float[2,6] x) => (bool[2,6] y) <float z = {0.0}> { a = Div(x, z) y = IsInf<detect_negative=0>(a) }",
        "g (int64[2,6] x, int64[6] x2) => (int64[2,6] y) { a = Less(x, x2) y = Where(a, x2, x) }",
    ],
    "position": [
        "g (float[2,5,6] x) => (int64[2,1,6] y) { y = ArgMax<axis=1>(x) }",
        "g (float[2,5,6] x) => (int64[2,5] y) { y = ArgMin<axis=-1, keepdims=0>(x) }",
        "g (float[2,5,6] x) => (int64[2,5] y) "
        "{ a = Sign(x) y = ArgMin<axis=-1, keepdims=0, select_last_index=1>(a) }",
        "g (float[2,5,6] x) => (float[2,3,6] y, int64[2,3,6] i) <int64[1] k={3}> "
        "{ y, i = TopK<axis=1>(x, k) }",
        "g (int64[2,6] x) => (int64[2,3] y, int64[2,3] i) <int64[1] k={3}> "
        "{ y, i = TopK<largest=0>(x, k) }",
    ],
    "positions": [
        "g (float[2,4,5] x) => (float[2,4,5] y) { y = Trilu(x) }",
        "g (int64[4,5] x) => (int64[4,5] y) <int64 k={-1}> { y = Trilu<upper=0>(x, k) }",
        "g (float[2,4,5] x) => (float[2,4,5] y) <int64 a={1}> { y = CumSum<exclusive=1>(x, a) }",
        "g (int32[2,4] x) => (int32[2,4] y) <int64 a={-1}> { y = CumSum<reverse=1>(x, a) }",
        "g (int64[2,3] x) => (float[2,3,7] y) <int64 d={7}, float[2] v={-1.0, 2.0}> { y = OneHot(x, d, v) }",
        "g (int64[2,3] x) => (float[2,7,3] y) <int64 d={7}, float[2] v={0.0, 1.0}, int64 s={4}> "
        "{ a = Sub(x, s) y = OneHot<axis=1>(a, d, v) }",
    ],
    "gather_elements": [
        "g (float[3,4] x, int64[3,2] x_i) => (float[3,2] y) <int64 s={4}> "
        "{ i = Sub(x_i, s) j = Abs(i) k = Neg(j) y = GatherElements<axis=1>(x, k) }",
        "g (float[3,4] x) => (float[2,4] y) <int64[2,4] i={0,1,2,-1,2,2,0,1}> { y = GatherElements(x, i) }",
        "g (float[2,3,4] x, int64[2,1,2] x_i) => (float[2,1,4] y) <int64[2] n={2,3}> "
        "{ i = Mod(x_i, n) y = GatherND(x, i) }",
        "g (float[2,3,4] x) => (float[2,2,4] y) <int64[2,2,1] i={0,2,-1,1}> { y = GatherND<batch_dims=1>(x, i) }",
    ],
    "scatter": [
        "g (float[4,5] x, float[2,5] x2) => (float[4,5] y) <int64[2,1] i={3,0}> { y = ScatterND(x, i, x2) }",
        "g (float[4,5] x, float[2,5] x2, int64[2,1] x_i) => (float[4,5] y) { y = ScatterND(x, x_i, x2) }",
        "g (float[4,5] x, float[2,5] x2, int64[2,1] x_i) => (float[4,5] y) "
        '{ y = ScatterND<reduction="add">(x, x_i, x2) }',
        'g (float[4] x, float[3] x2) => (float[4] y) <int64[3] i={1,1,3}> { y = ScatterElements<reduction="mul">(x, i, x2) }',
        "g (float[4,5] x, float[4,2] x2) => (float[4,5] y) <int64[4,2] i={0,1,4,2,-1,0,3,1}> "
        "{ y = ScatterElements<axis=1>(x, i, x2) }",
    ],
    "suppression": [
        "g (float[2,30,4] x, float[2,2,30] x_s) => (int64[K,3] y) <int64 n={5}, float t={0.3}> "
        "{ y = NonMaxSuppression(x, x_s, n, t) }",
    ],
    "local_response": [
        "g (float[1,7,4,5] x) => (float[1,7,4,5] y) { y = LRN<alpha=0.2, beta=0.6, bias=1.5, size=3>(x) }",
    ],
    "normalization": [
        "g (float[2,3,4,5] x) => (float[2,3,4,5] y) { y = MeanVarianceNormalization(x) }",
        "g (float[2,3,4] x) => (float[2,3,4] y) { y = LpNormalization<axis=1>(x) }",
        "g (float[2,3,4] x) => (float[2,3,4] y) { y = LpNormalization<p=1>(x) }",
        "g (float[2,5,6] x, float[6] s, float[6] b) => (float[2,5,6] y, float[2,5,1] m, float[2,5,1] d) "
        "{ y, m, d = LayerNormalization(x, s, b) }",
        "g (float[1,4,5] x, float[4] x_s, float[4] x_b) => (float[1,4,5] y) { y = InstanceNormalization(x, x_s, x_b) }",
    ],
    "pooling": [
        _POOL.format(op=op, attributes=attributes, h=h, w=w)
        for op in ("MaxPool", "AveragePool")
        for attributes, h, w in (
            ("kernel_shape=[3,3], strides=[2,2], pads=[1,1,0,2]", 3, 5),
            ("kernel_shape=[3,2], strides=[2,2], ceil_mode=1", 3, 5),
            ("kernel_shape=[2,3], dilations=[2,3]", 5, 3),
        )
    ]
    + [
        _POOL.format(
            op="AveragePool",
            attributes="kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1, ceil_mode=1",
            h=4,
            w=5,
        ),
        _POOL.format(op="LpPool", attributes="kernel_shape=[3,2], p=3", h=5, w=8),
        "g (float[1,3,7,9] x) => (float[1,3,1,1] y) { y = GlobalLpPool(x) }",
        "g (float[1,2,5,6,7] x) => (float[1,2,2,3,3] y) { y = MaxPool<kernel_shape=[2,2,2], strides=[2,2,2]>(x) }",
        "g (float[1,2,5,6,7] x) => (float[1,2,3,6,7] y) "
        "{ y = AveragePool<kernel_shape=[3,3,3], pads=[0,1,1,0,1,1]>(x) }",
    ],
    "reduction": [
        *(
            f"g (float[1,3,4,5] x) => (float[1,3] y) <int64[2] a={{2,3}}> {{ y = {op}<keepdims=0>(x, a) }}"
            for op in ("ReduceL1", "ReduceSumSquare", "ReduceLogSumExp")
        ),
        "g (float[1,3,4] x) => (float[1,1,4] y) <int64[1] a={1}> { b = Abs(x) y = ReduceLogSum(b, a) }",
    ],
    "rnn": [
        _RNN.format(n=n, d=d, direction=direction)
        for n, d, direction in ((1, 1, "forward"), (2, 1, "reverse"), (2, 2, "bidirectional"))
    ],
    "quantized_values": [
        "g (float[2,3] x) => (uint8[2,3] y) <float s={0.02}, uint8 z={128}> { y = QuantizeLinear(x, s, z) }",
        "g (int8[2,3] x) => (float[2,3] y) <float[3] s={0.5,0.25,2.0}> { y = DequantizeLinear<axis=1>(x, s) }",
    ],
    "pad": [
        f'g (float[1,3,4,4] x) => (float[1,3,7,5] y) <int64[8] p={{0,0,1,-1,0,0,2,2}}> {{ y = Pad<mode="{mode}">(x, p) }}'
        for mode in ("edge", "wrap", "reflect")
    ],
    "resize": [
        f"g (float[1,3,5,4] x) => (float[1,3,8,7] y) <int64[4] s={{1,3,8,7}}> {{ y = Resize<{form}>(x, , , s) }}"
        for form in (
            'mode="cubic"',
            'mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1',
            'mode="linear", coordinate_transformation_mode="asymmetric"',
            'mode="nearest", nearest_mode="ceil"',
        )
    ]
    + [
        'g (float[1,3,8,8] x) => (float[1,3,3,5] y) <int64[4] s={1,3,3,5}> { y = Resize<mode="linear", antialias=1>(x, , , s) }',
    ],
    "reshape": [
        "g (float[3,5] x) => (float[3,5] y, bool[3,5] m) { z = Relu(x) y, m = Dropout(z) }",
    ],
    "activation": [
        "g (int64[2,6] x, int64 x2) => (int64[2,6] y) { y = Clip(x, , x2) }",
        "g (int32[2,6] x) => (int32[2,6] y) <int32 k={7}> { a = Sub(k, x) y = Relu(a) }",
    ],
}
