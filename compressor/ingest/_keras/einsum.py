"""Products of two tensors as MatMul between plain reshapes, instead of arithmetic on shapes.

Keras writes attention and EinsumDense as einsum. TensorFlow's form computes shapes while running;
here all lengths but the batch are known, so that the same product is Transpose, Reshape, MatMul.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import tensorflow as tf


@dataclass(frozen=True, kw_only=True)
class Product:
    """An einsum of two operands, its axes by role and in the order of the result.

    Attributes:
        operands: the two tensors, and the axes of each.
        batch: axes in all three.
        summed: axes in both operands, but not in the result.
        left: axes in the left operand and the result.
        right: axes in the right operand and the result.
        result: the axes of the result.
        lengths: the length of every axis; -1 for the one that is not known.
    """

    operands: Sequence[tuple[tf.Tensor, str]]
    batch: str
    summed: str
    left: str
    right: str
    result: str
    lengths: Mapping[str, int]


def product_form(original: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Return an einsum that multiplies matrices where it can, and calls *original* elsewhere."""

    def einsum(subscripts: str, *operands: Any, **options: Any) -> tf.Tensor:  # noqa: ANN401 - Keras's
        product = _parse(subscripts.replace(" ", ""), [tf.convert_to_tensor(o) for o in operands])
        return original(subscripts, *operands, **options) if product is None else _compute(product)

    return einsum


def _parse(subscripts: str, tensors: Sequence[tf.Tensor]) -> Product | None:
    inputs, arrow, result = subscripts.partition("->")
    terms = inputs.split(",")
    if not arrow or len(terms) != 2 or "." in subscripts:
        return None
    repeated = any(len(set(term)) < len(term) for term in (*terms, result))
    alone = (set(terms[0]) ^ set(terms[1])) - set(result)
    if repeated or alone or not set(result) <= set(inputs):
        return None
    lengths: dict[str, int] = {}
    for tensor, term in zip(tensors, terms, strict=True):
        if tensor.shape.rank != len(term):
            return None
        for axis, length in zip(term, tensor.shape, strict=True):
            lengths[axis] = max(lengths.get(axis, -1), -1 if length is None else length)
    shared = set(terms[0]) & set(terms[1])
    own = [axis for axis in result if axis not in shared]
    pairs = list(zip(tensors, terms, strict=True))
    if own and own[0] in terms[1]:  # MatMul puts the axes of its left operand first
        pairs.reverse()
    summed = "".join(axis for axis in terms[0] if axis in shared and axis not in result)
    if list(lengths.values()).count(-1) > 1 or any(lengths[axis] < 0 for axis in summed):
        return None
    return Product(
        operands=pairs,
        batch="".join(axis for axis in result if axis in shared),
        summed=summed,
        left="".join(axis for axis in own if axis in pairs[0][1]),
        right="".join(axis for axis in own if axis in pairs[1][1]),
        result=result,
        lengths=lengths,
    )


def _compute(product: Product) -> tf.Tensor:
    (first, first_axes), (second, second_axes) = product.operands
    batch, summed = product.batch, product.summed
    left = _arranged(first, first_axes, [*batch, product.left, summed], product.lengths)
    right = _arranged(second, second_axes, [*batch, summed, product.right], product.lengths)
    made = batch + product.left + product.right
    shape = [product.lengths[axis] for axis in made]
    return _transposed(tf.reshape(tf.matmul(left, right), shape), made, product.result)


def _arranged(
    tensor: tf.Tensor, axes: str, groups: Sequence[str], lengths: Mapping[str, int]
) -> tf.Tensor:
    """Return *tensor* with its *axes* in the order of *groups*, each group as one axis."""
    shape = [_product([lengths[axis] for axis in group]) for group in groups]
    return tf.reshape(_transposed(tensor, axes, "".join(groups)), shape)


def _transposed(tensor: tf.Tensor, axes: str, wanted: str) -> tf.Tensor:
    return tensor if axes == wanted else tf.transpose(tensor, [axes.index(axis) for axis in wanted])


def _product(lengths: Sequence[int]) -> int:
    return -1 if -1 in lengths else prod(lengths)
