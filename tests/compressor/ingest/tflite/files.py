"""TFLite files made by hand, through the schema's object API, without edgec's exporter."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "int16": schema.TensorType.INT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "bool": schema.TensorType.BOOL,
}


class File:
    """One subgraph in the making."""

    def __init__(self) -> None:
        self.model = schema.ModelT(version=3, description="by hand", operatorCodes=[])
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[], name="main")
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str = "float32",
        *,
        scale: float | list[float] | None = None,
        zero: int = 0,
        axis: int = 0,
        signature: tuple[int, ...] | None = None,
    ) -> int:
        """Add a tensor and return its number."""
        quantization = None
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            quantization = schema.QuantizationParametersT(
                scale=scales,
                zeroPoint=np.full(len(scales), zero, np.int64),
                quantizedDimension=axis,
            )
        self.graph.tensors.append(
            schema.TensorT(
                shape=list(shape),
                type=_TYPES[dtype],
                buffer=0,
                name=name,
                quantization=quantization,
                shapeSignature=None if signature is None else list(signature),
                hasRank=True,
            )
        )
        return len(self.graph.tensors) - 1

    def constant(self, name: str, array: Any, **quantization: Any) -> int:
        """Add a constant and return its number."""
        array = np.asarray(array)
        index = self.tensor(name, array.shape, array.dtype.name, **quantization)
        self.model.buffers.append(schema.BufferT(data=np.frombuffer(array.tobytes(), np.uint8)))
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def op(
        self,
        name: str,
        inputs: list[int],
        outputs: list[int],
        options: Any = None,
        version: int = 1,
    ) -> None:
        """Add an operator."""
        code = getattr(schema.BuiltinOperator, name)
        self.model.operatorCodes.append(
            schema.OperatorCodeT(
                builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=version
            )
        )
        operator = schema.OperatorT(
            opcodeIndex=len(self.model.operatorCodes) - 1, inputs=inputs, outputs=outputs
        )
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.graph.operators.append(operator)

    def signature(self, inputs: dict[str, int], outputs: dict[str, int]) -> None:
        """Name the inputs and outputs."""
        self.model.signatureDefs = [
            schema.SignatureDefT(
                inputs=[schema.TensorMapT(name, index) for name, index in inputs.items()],
                outputs=[schema.TensorMapT(name, index) for name, index in outputs.items()],
                signatureKey="serving_default",
                subgraphIndex=0,
            )
        ]

    def pack(self, inputs: list[int], outputs: list[int]) -> bytes:
        """Return the file."""
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
