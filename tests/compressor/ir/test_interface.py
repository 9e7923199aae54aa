import numpy as np
import pytest

from compressor.ir.annotations import set_quant
from compressor.ir.interface import Interface, Layout, TensorSpec, interface_of
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of


def test_names_types_and_shapes_in_order() -> None:
    model = graph_of(
        """g (float[N,3] x, int64[2,?] ids) => (float[N,3] y, bool z) {
            y = Relu(x)
            z = Cast<to=9>(k)
        }""",
        k=np.float32(1),
    )
    found = interface_of(model)
    assert [str(spec) for spec in found.inputs] == ["x: float32[N, 3]", "ids: int64[2, ids_dim1]"]
    assert [str(spec) for spec in found.outputs] == ["y: float32[N, 3]", "z: bool[]"]
    assert found.input("ids").numpy == np.int64
    with pytest.raises(KeyError):
        found.input("y")


@pytest.mark.parametrize(
    ("shape", "body", "layout"),
    [
        ("N,3,8,8", "y = Conv(x, w)", Layout.NCHW),
        ("N,3,8,8", "a = Mul(x, two) b = Relu(a) y = Conv(b, w)", Layout.NCHW),
        ("N,3,8,8", "y = GlobalAveragePool(x)", Layout.NCHW),
        ("N,8,8,3", "a = Transpose<perm=[0,3,1,2]>(x) y = Conv(a, w)", Layout.NHWC),
        ("N,8,8,3", "a = Sub(x, two) b = Transpose<perm=[0,3,1,2]>(a) y = Conv(b, w)", Layout.NHWC),
        ("N,3,8,8", "y = Flatten(x)", Layout.NONE),
        ("N,3,8,8", "y = Transpose<perm=[0,2,3,1]>(x)", Layout.NONE),
        ("N,3,8", "y = MaxPool<kernel_shape=[2]>(x)", Layout.NONE),
    ],
)
def test_layout_comes_from_what_reads_the_input(shape: str, body: str, layout: Layout) -> None:
    model = graph_of(
        f"g (float[{shape}] x) => (float y) {{ {body} }}", w=gaussian(4, 3, 3, 3), two=np.float32(2)
    )
    InferShapes().run(model, PassContext())
    assert interface_of(model).inputs[0].layout is layout


def test_accepts_and_concrete() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=("N", 3, "L"))
    assert spec.concrete() == (1, 3, 1)
    assert spec.concrete(4) == (4, 3, 4)
    assert spec.accepts((7, 3, 9))
    assert not spec.accepts((7, 4, 9))
    assert not spec.accepts((7, 3))


def test_json() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=("N", 3), layout=Layout.NONE)
    found = Interface(inputs=(spec,), outputs=())
    assert found.to_json() == {
        "inputs": [{"name": "x", "dtype": "float32", "shape": ["N", 3], "layout": "none"}],
        "outputs": [],
    }


def test_annotated_inputs_and_outputs_are_integers_to_the_caller() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Relu(x) }")
    params = QuantParams.per_tensor(IntegerType.UINT8, 0.5, 7)
    set_quant(model.graph.inputs[0], params)
    found = interface_of(model)
    assert [str(spec) for spec in found.inputs] == ["x: uint8[N, 3]"]
    assert found.inputs[0].quantization == params
    assert found.inputs[0].is_real
    assert found.inputs[0].to_json()["scale"] == 0.5
    assert found.inputs[0].to_json()["zero_point"] == 7
    assert "scale" not in found.outputs[0].to_json()


def test_scales_at_the_edges_of_files_with_quantization_nodes() -> None:
    model = graph_of(
        """g (int8[N,3] x, int8[N,3] raw) => (int8[N,3] y, int8[N,3] z) {
            r = DequantizeLinear(x, scale, zero)
            t = Relu(r)
            y = QuantizeLinear(t, scale, zero)
            z = Identity(raw)
        }""",
        scale=np.float32(0.5),
        zero=np.int8(3),
    )
    found = interface_of(model)
    expected = QuantParams.per_tensor(IntegerType.INT8, 0.5, 3)
    assert [spec.quantization for spec in found.inputs] == [expected, None]
    assert [spec.quantization for spec in found.outputs] == [expected, None]
