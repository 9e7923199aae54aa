"""How tf2onnx writes the operators that it does not know."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .stand_in import OPERATOR, facts_of


def _named(context: Any, node: Any, _name: str, _args: object) -> None:  # noqa: ANN401 - tf2onnx's
    """Write the ONNX node that a stand-in stands for."""
    facts = facts_of(node.get_attr_str("token"))
    inputs = [""] * (max(facts.slots) + 1)
    for slot, value in zip(facts.slots, node.input, strict=True):
        inputs[slot] = value
    outputs = list(node.output)
    dtypes = [context.get_dtype(value) for value in outputs]
    shapes = [context.get_shape(value) for value in outputs]
    context.remove_node(node.name)
    context.make_node(
        facts.operator,
        inputs,
        attr=facts.attributes,
        name=node.name,
        outputs=outputs,
        shapes=shapes,
        dtypes=dtypes,
    )


def _erfc(context: Any, node: Any, _name: str, _args: object) -> None:  # noqa: ANN401 - tf2onnx's
    """Write ``erfc(x) = 1 - erf(x)``."""
    outputs = list(node.output)
    dtype, shape = context.get_dtype(outputs[0]), context.get_shape(outputs[0])
    source = node.input[0]
    context.remove_node(node.name)
    one = context.make_const(f"{node.name}_one", tf.ones([], tf.float32).numpy())
    erf = context.make_node("Erf", [source], shapes=[shape], dtypes=[dtype])
    context.make_node(
        "Sub",
        [one.output[0], erf.output[0]],
        name=node.name,
        outputs=outputs,
        shapes=[shape],
        dtypes=[dtype],
    )


Converter = tuple[Callable[[Any, Any, str, object], None], list[object]]
CONVERTERS: dict[str, Converter] = {OPERATOR: (_named, []), "Erfc": (_erfc, [])}
