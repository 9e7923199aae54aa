"""Make a large model, compile it, and print the peak memory of every stage: a program of its own.

Usage: python -m tests.e2e.large_model FOLDER GIGABYTES SCHEME
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np
import onnx

_LAYERS = 24


def make_model(folder: Path, size: int) -> Path:
    """Write a network of about *size* bytes, its weights in a file beside it."""
    width = int((size / 4 / _LAYERS) ** 0.5) // 8 * 8
    random = np.random.default_rng(0)
    nodes, constants, source = [], [], "x"
    with (folder / "weights.bin").open("wb") as file:
        for layer in range(_LAYERS):
            weight = random.standard_normal((width, width), np.float32)
            weight *= np.float32((2 / width) ** 0.5)  # keeps the variance through Relu
            constants.append(_reference(f"w{layer}", width, file.tell(), weight.nbytes))
            file.write(weight.data)
            operator, attributes = ("Gemm", {"transB": 1}) if layer % 2 else ("MatMul", {})
            result = "y" if layer == _LAYERS - 1 else f"r{layer}"
            nodes += [
                onnx.helper.make_node(operator, [source, f"w{layer}"], [f"h{layer}"], **attributes),
                onnx.helper.make_node("Relu", [f"h{layer}"], [result]),
            ]
            source = result
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", width])
        for name in "xy"
    ]
    graph = onnx.helper.make_graph(nodes, "large", ends[:1], ends[1:], constants)
    opset = onnx.helper.make_opsetid("", 21)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10)
    (folder / "large.onnx").write_bytes(model.SerializeToString())
    return folder / "large.onnx"


def _reference(name: str, width: int, offset: int, length: int) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT, dims=[width, width])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def peak_bytes(who: int) -> int:
    """Return the largest resident set so far of this process, or of its children."""
    return resource.getrusage(who).ru_maxrss * 1024


def main() -> None:
    """Compile, and print one JSON object a line: a stage, or what came out."""
    from compressor import answers
    from compressor.compile import compile_model
    from compressor.progress import Silent
    from compressor.recipe import Recipe, Scheme

    class Peaks(Silent):
        """Prints the peak at the start of every stage."""

        def stage(self, name: str) -> None:
            print(json.dumps({"before": name, "peak": peak_bytes(resource.RUSAGE_SELF)}))

    folder, size, scheme = Path(sys.argv[1]), int(float(sys.argv[2]) * 1e9), Scheme(sys.argv[3])
    answers.LARGE_MODEL_BYTES = min(answers.LARGE_MODEL_BYTES, size // 2)
    bare = peak_bytes(resource.RUSAGE_SELF)
    result = compile_model(
        str(folder / "large.onnx"),
        output=folder / scheme.value,
        recipe=Recipe(quantize=scheme, to=("onnx",)),
        progress=Peaks(),
    )
    [artifact] = result.artifacts
    outcome = {
        "source": result.source.size.file_bytes,
        "artifact": artifact.size.file_bytes,
        "bare": bare,
        "compiler": peak_bytes(resource.RUSAGE_SELF),
        "runtime": peak_bytes(resource.RUSAGE_CHILDREN),
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
