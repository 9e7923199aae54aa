"""Trace a model into a graph of constants, with layers in the forms that ONNX has."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras.src import backend  # where Keras looks up the forms that a backend may replace
from tensorflow.core.framework import graph_pb2
from tensorflow.python.framework.convert_to_constants import (  # the only way to freeze in TF 2
    convert_variables_to_constants_v2,
)

from . import recurrence
from .einsum import product_form
from .normalization import layer_norm_form
from .subject import Subject

# Functions so marked are not inlined, and what is not inlined is not converted.
_MARKS = ("_XlaMustCompile", "_noinline", "_XlaSeparateCompiledGradients")


def trace(subject: Subject) -> tuple[graph_pb2.GraphDef, list[str], list[str]]:
    """Return the graph of *subject*, and the tensors of its inputs and outputs."""
    function = tf.function(subject.run, autograph=False)
    with onnx_forms():
        concrete = function.get_concrete_function(*subject.inputs)
    frozen = convert_variables_to_constants_v2(
        concrete, lower_control_flow=False, aggressive_inlining=True
    )
    graph = frozen.graph.as_graph_def()
    for holder in (*graph.node, *graph.library.function, *_nodes_of_functions(graph)):
        for mark in _MARKS:
            holder.attr.pop(mark, None)
    return graph, [t.name for t in frozen.inputs], [t.name for t in frozen.outputs]


def _nodes_of_functions(graph: graph_pb2.GraphDef) -> Iterator[Any]:
    return (node for function in graph.library.function for node in function.node_def)


@contextmanager
def onnx_forms() -> Iterator[None]:
    """Let layers be traced, while active, as what ONNX has an operator for."""
    names = ("lstm", "gru", "bidirectional_lstm", "bidirectional_gru")
    replaced = [
        *((backend, name, getattr(recurrence, name)) for name in names),
        (keras.layers.SimpleRNN, "inner_loop", recurrence.simple_rnn),
        (keras.layers.Embedding, "call", _embed),
        (
            keras.layers.LayerNormalization,
            "call",
            layer_norm_form(keras.layers.LayerNormalization.call),
        ),
        (backend.nn, "gelu", _gelu),
        (backend.numpy, "einsum", product_form(backend.numpy.einsum)),
        (tf, "einsum", product_form(tf.einsum)),  # inside of Keras's attention
        (backend.numpy, "matmul", _matmul_form(backend.numpy.matmul)),
    ]
    originals = [(holder, name, getattr(holder, name)) for holder, name, _ in replaced]
    for holder, name, form in replaced:
        setattr(holder, name, form)
    try:
        yield
    finally:
        for holder, name, form in originals:
            setattr(holder, name, form)


def _embed(layer: keras.layers.Embedding, inputs: tf.Tensor) -> tf.Tensor:
    """Gather rows; negative indices count from the end, in ONNX as in Keras."""
    indices = inputs if inputs.dtype.is_integer else tf.cast(inputs, tf.int32)
    return tf.gather(tf.convert_to_tensor(layer.embeddings), indices)


def _gelu(x: tf.Tensor, approximate: bool = True) -> tf.Tensor:
    """Compute by erf; TensorFlow's own form uses erfc, which ONNX lacks."""
    if approximate:
        return tf.nn.gelu(x, approximate=True)
    return 0.5 * x * (1.0 + tf.math.erf(x / math.sqrt(2.0)))


def _matmul_form(original: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Return a matmul of many rows at once; TensorFlow's computes shapes while running."""

    def matmul(first: Any, second: Any) -> tf.Tensor:  # noqa: ANN401 - tensors or variables
        left, right = tf.convert_to_tensor(first), tf.convert_to_tensor(second)
        plain = left.dtype == right.dtype and left.dtype.is_floating and right.shape.rank == 2
        rows = plain and left.shape.rank is not None and left.shape.rank > 2
        return tf.matmul(left, right) if rows else original(first, second)

    return matmul
