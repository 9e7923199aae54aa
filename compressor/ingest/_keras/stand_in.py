"""ONNX operators in a TensorFlow graph, which has none of the kind.

A stand-in can be traced but not run. It carries the facts to tf2onnx, where ``converters.py``
writes the node.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

OPERATOR = "PyFuncStateless"
_KEY = "edgec"

Attributes = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the ONNX node is to be.

    Attributes:
        operator: its type.
        slots: which of its inputs are given, in the order of the stand-in's.
        attributes: its attributes.
    """

    operator: str
    slots: Sequence[int]
    attributes: Attributes


def onnx_node(
    operator: str, inputs: Mapping[int, tf.Tensor], attributes: Attributes, *, outputs: int = 1
) -> list[tf.Tensor]:
    """Return the outputs, of unknown shape, of an ONNX node with *inputs* by position."""
    facts = {"operator": operator, "slots": list(inputs), "attributes": dict(attributes)}
    values = list(inputs.values())
    made: list[tf.Tensor] = tf.raw_ops.PyFuncStateless(
        input=values, token=json.dumps({_KEY: facts}), Tout=[values[0].dtype] * outputs
    )
    return made


def facts_of(token: str) -> Facts:
    """Read what ``onnx_node`` wrote; ValueError for another program's Python function."""
    content: Any = json.loads(token)
    if not isinstance(content, dict) or _KEY not in content:
        raise ValueError("a Python function, which has no ONNX meaning")
    return Facts(**content[_KEY])
