"""UNIDIRECTIONAL_SEQUENCE_LSTM as ONNX LSTM, where the two mean the same.

Both compute Hochreiter and Schmidhuber (1997) with forget gates; ONNX stacks the gates as
input, output, forget, cell. Projection, layer normalization, peepholes and clipping are refused,
and so is state that does not start at zero.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Array
from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ir.annotations import Precision, quant_of, set_precision
from compressor.ir.rewrite import constant_of

# Positions of TFLite's 24 inputs; gates in the order input, forget, cell, output.
_SOURCE = 0
_INPUT_WEIGHTS = (1, 2, 3, 4)
_RECURRENT_WEIGHTS = (5, 6, 7, 8)
_PEEPHOLES = (9, 10, 11)
_BIASES = (12, 13, 14, 15)
_PROJECTION = (16, 17)
_STATES = (18, 19)
_NORMALIZATION = (20, 21, 22, 23)
_ONNX_GATES = (0, 3, 1, 2)
_TANH = 4


def _lstm(e: Emitter) -> None:
    options = e.options(schema.UnidirectionalSequenceLSTMOptionsT)
    _check(e, options)
    source = e.real(_SOURCE)
    if not options.timeMajor:
        source = e.transpose(source, (1, 0, 2))
    steps, batch, _ = static_shape(source)
    weights = [_stacked(e, _INPUT_WEIGHTS), _stacked(e, _RECURRENT_WEIGHTS)]
    hidden = weights[1].shape[-1]
    biases = np.concatenate([_stacked(e, _BIASES), np.zeros(4 * hidden, np.float32)])
    inputs = [source, *(e.constant(array[None]) for array in (*weights, biases))]
    shape = (steps, 1, batch, hidden)
    sequence = e.emit("LSTM", inputs, shape, {"hidden_size": hidden})
    _declare(e, sequence)
    result = e.reshape(sequence, (steps, batch, hidden), (steps, -1, hidden))
    e.finish(result if options.timeMajor else e.transpose(result, (1, 0, 2)))


def _check(e: Emitter, options: schema.UnidirectionalSequenceLSTMOptionsT) -> None:
    inputs = e.operator.inputs
    present = {index for index, tensor in enumerate(inputs) if tensor is not None}
    if e.params is not None:
        raise e.refuse("its integer form has no ONNX meaning")
    if present & {*_PEEPHOLES, *_PROJECTION, *_NORMALIZATION}:
        raise e.refuse("peepholes, projection and layer normalization are not read")
    if not present >= {*_INPUT_WEIGHTS, *_RECURRENT_WEIGHTS, *_BIASES}:
        raise e.refuse("a gate without weights or bias is not read")
    if options.fusedActivationFunction != _TANH or options.cellClip or options.projClip:
        raise e.refuse("its activation is not tanh, or it clips its state")
    if any(not e.tensor(index).is_variable for index in _STATES if index in present):
        raise e.refuse("its state does not start at zero")


def _stacked(e: Emitter, indices: tuple[int, ...]) -> Array:
    """Return the constants of the four gates in ONNX's order, one under the other."""
    gates = [constant_of(e.input(index)) for index in indices]
    if any(gate is None for gate in gates):
        raise e.refuse("its weights are computed at run time")
    return np.concatenate([np.asarray(gates[gate], np.float32) for gate in _ONNX_GATES])


def _declare(e: Emitter, result: ir.Value) -> None:
    """Integer weights of a float layer are only stored so; the stacked ones are real numbers."""
    node = result.producer()
    if node is not None and quant_of(e.input(_INPUT_WEIGHTS[0])) is not None:
        set_precision(node, Precision.FLOAT, "the scales of its gates differ")


READ = {"UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm}
