import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.passes.convert_opset import CANONICAL_OPSET, OLDEST_OPSET, ConvertOpset
from compressor.passes.opset.older import OLDER
from compressor.passes.protocol import PassContext
from tests.graphs import assert_same, gaussian, graph_of

CASES = {
    "batch normalization": (7, "y = BatchNormalization(x, s, s, s, v)"),
    "clip": (7, "y = Clip<min=-0.5, max=0.5>(x)"),
    "clip without bounds": (9, "y = Clip(x)"),
    "dropout": (7, "y = Dropout<ratio=0.3>(x)"),
    "dropout with a mask that is not read": (10, "y, m = Dropout(x)"),
    "hard maximum": (11, "y = Hardmax<axis=2>(x)"),
    "log softmax over all axes": (7, "y = LogSoftmax<axis=0>(x)"),
    "softmax over trailing axes": (11, "y = Softmax(x)"),
    "softmax over the last axis": (7, "y = Softmax<axis=3>(x)"),
    "pad": (7, "y = Pad<pads=[0,0,1,2,0,0,2,1], value=1.5>(x)"),
    "pad by reflection": (10, 'y = Pad<pads=[0,0,1,2,0,0,2,1], mode="reflect">(x)'),
    "mean of some axes": (7, "y = ReduceMean<axes=[1,3], keepdims=0>(x)"),
    "sum of all": (12, "y = ReduceSum(x)"),
    "upsampling": (7, 'y = Upsample<mode="nearest", scales=[1.0,1.0,2.0,3.0]>(x)'),
    "linear upsampling": (8, 'y = Upsample<mode="linear", scales=[1.0,1.0,2.0,2.0]>(x)'),
    "upsampling by an input": (9, "y = Upsample(x, grow)"),
    "resize that grows": (10, "y = Resize(x, grow)"),
    "resize that shrinks": (10, "y = Resize(x, shrink)"),
    "slice": (7, "y = Slice<starts=[1,-3], ends=[3,9], axes=[1,2]>(x)"),
    "slice without axes": (9, "y = Slice<starts=[0,1], ends=[1,3]>(x)"),
    "split": (7, "y, z = Split<axis=1, split=[1,3]>(x)"),
    "equal split": (11, "y, z = Split<axis=1>(x)"),
    "equal split by count": (13, "y, z = Split<axis=1>(x)"),
    "squeeze": (7, "u = Unsqueeze<axes=[0,3]>(x) y = Squeeze<axes=[0]>(u)"),
    "largest": (7, "y, i = TopK<k=2, axis=1>(x)"),
    "scatter": (9, "y = Scatter<axis=1>(x, index, update)"),
    "average pool": (9, "y = AveragePool<kernel_shape=[2,2], strides=[2,2]>(x)"),
    "maximum pool": (7, "y = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)"),
    "recurrent": (7, "q = Reshape(x, steps) y, h = LSTM<hidden_size=3>(q, w, r)"),
}
CONSTANTS = {
    "s": gaussian(4, seed=1),
    "v": abs(gaussian(4, seed=2)) + 1,
    "grow": np.array([1, 1, 2, 2], np.float32),
    "shrink": np.array([1, 1, 0.6, 0.5], np.float32),
    "index": np.zeros((2, 1, 5, 6), np.int64),
    "update": gaussian(2, 1, 5, 6, seed=3),
    "steps": np.array([5, 2, 24]),
    "w": gaussian(1, 12, 24, seed=4, scale=0.2),
    "r": gaussian(1, 12, 3, seed=5),
}


def model_of(opset: int, body: str) -> ir.Model:
    """Return *body* on an input of shape [2, 4, 5, 6]; its results y and, if any, z come out."""
    outputs = "float[A,B,C,D] y, float[E,F,G,H] z" if "z =" in body else "float[] y"
    text = f"g (float[2,4,5,6] x) => ({outputs}) {{ {body} }}"
    names = {name: array for name, array in CONSTANTS.items() if f"{name}" in body.split("(", 1)[1]}
    model = graph_of(text, opset=opset, **names)
    for value in model.graph.outputs:
        value.shape = None
    return model


@pytest.mark.parametrize("name", CASES)
def test_means_the_same(name: str) -> None:
    model = model_of(*CASES[name])
    before = model.clone()
    ConvertOpset().run(model, PassContext())
    assert model.opset_imports == {"": CANONICAL_OPSET}
    assert_same(before, model, terms=120)


@pytest.mark.parametrize(
    ("opset", "body", "words"),
    [
        (8, "y = BatchNormalization<spatial=0>(x, s, s, s, v)", "spatial=0"),
        (7, "d, y = Dropout(x)", "mask"),
        (12, "y, a, b, c, d = BatchNormalization(x, s, s, s, v) z = Identity(a)", "training"),
        (10, "m = ReduceMax<keepdims=0, axes=[1,2,3]>(x) p = Concat<axis=0>(m, m) y = Resize(x, p)",
         "computed"),
        (11, 'y = Resize<coordinate_transformation_mode="tf_half_pixel_for_nn">(x, e, grow)',
         "tf_half_pixel_for_nn"),
    ],
)  # fmt: skip
def test_what_has_no_equal_is_refused(opset: int, body: str, words: str) -> None:
    model = model_of(opset, body)
    with pytest.raises(EdgecError) as caught:
        ConvertOpset().run(model, PassContext())
    assert caught.value.code is Code.MODEL_UNSUPPORTED
    assert words in caught.value.what


def operands(schema: onnx.defs.OpSchema) -> list[tuple[str, str]]:
    return [(value.name, str(value.option)) for value in schema.inputs]


def defaults(schema: onnx.defs.OpSchema) -> set[tuple[str, str]]:
    return {(name, str(a.default_value)) for name, a in schema.attributes.items()}


# Changes of the signature that change no meaning: new names, and attributes that became optional.
HARMLESS = {"Constant", "Gemm", "OptionalHasElement"}


def test_every_changed_signature_has_a_rule() -> None:
    """Attributes that vanished or have another default, operands that are not just appended."""
    missing = set()
    for schema in onnx.defs.get_all_schemas_with_history():
        name, version = schema.name, schema.since_version
        if schema.domain or version > CANONICAL_OPSET or name in HARMLESS:
            continue
        try:
            now = onnx.defs.get_schema(name, CANONICAL_OPSET)
            used = onnx.defs.get_schema(name, max(version, OLDEST_OPSET))
        except onnx.defs.SchemaError:
            continue
        if used.since_version != version or now.since_version == version:
            continue
        kept = defaults(schema) <= defaults(now)
        appended = operands(now)[: len(schema.inputs)] == operands(schema)
        covered = any(version < change for change in OLDER.get(name, {}))
        if not (kept and appended) and not covered:
            missing.add((name, version))
    assert missing == set()
