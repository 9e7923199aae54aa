"""Names for dimensions: one symbol for one length, where ONNX's inference makes up a new one.

Inference calls the free dimension of a reshape, and what it broadcasts to, ``unk__7``. Here the
length is derived instead: the elements of a reshape stay, and what is broadcast to a symbol has
its length.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import onnx_ir as ir

from compressor.ir.rewrite import constant_of

BROADCASTING = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mean", "Sum", "Where", "And", "Or", "Xor"}
    | {"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Mod", "PRelu"}
)
_INVENTED = re.compile(r"unk__\d+")
_WORD = re.compile(r"[A-Za-z_]\w*")
Dims = Sequence[int | str | None]


def name_dimensions(model: ir.Model) -> None:
    """Replace invented symbols in the shapes of *model*'s values by those that they equal."""
    known: dict[str, str] = {}
    for node in model.graph:
        for value in node.outputs:
            if value.shape is None or value.shape.is_static():
                continue
            dims = [_renamed(dim, known) for dim in _dims(value)]
            derived = _derived(node, len(dims), known) if node.outputs[0] is value else None
            for index, better in enumerate(derived or ()):
                dim = dims[index]
                if isinstance(dim, str) and _INVENTED.fullmatch(dim) and better not in (None, dim):
                    known[dim] = str(better)
                    dims[index] = better
            value.shape = ir.Shape(dims)


def dims_of(shape: Iterable[int | ir.SymbolicDim]) -> list[int | str | None]:
    """Return the dimensions of *shape* as numbers and names; None where neither is known."""
    return [dim if isinstance(dim, int) else dim.value for dim in shape]


def _dims(value: ir.Value) -> list[int | str | None]:
    return dims_of(value.shape or ())


def _renamed(dim: int | str | None, known: dict[str, str]) -> int | str | None:
    if not isinstance(dim, str):
        return dim
    text = _WORD.sub(lambda match: known.get(match[0], match[0]), dim)
    return int(text) if text.isdecimal() else text


def _derived(node: ir.Node, rank: int, known: dict[str, str]) -> Dims | None:
    """Return what the first output's dimensions must be; None where nothing is derived."""
    inputs = [[_renamed(dim, known) for dim in _dims(v)] for v in node.inputs if v is not None]
    if node.op_type == "Reshape" and node.inputs[0] is not None and node.inputs[0].shape:
        return _reshaped(inputs[0], node)
    if any(v is not None and v.shape is None for v in node.inputs):
        return None
    if node.op_type in BROADCASTING:
        return _broadcast(inputs, rank)
    if node.op_type == "MatMul" and all(len(dims) > 1 for dims in inputs):
        return [*_broadcast([dims[:-2] for dims in inputs], rank - 2), None, None]
    if node.op_type == "Concat":
        axis = node.attributes.get_int("axis", 0) % max(1, rank)
        merged = [_first(column) for column in zip(*inputs, strict=True)]
        return [None if index == axis else dim for index, dim in enumerate(merged)]
    return None


def _first(column: Sequence[int | str | None]) -> int | str | None:
    """Return the best of several names of one length: a number, else one that is not invented."""
    numbers = [dim for dim in column if isinstance(dim, int)]
    symbols = [d for d in column if isinstance(d, str) and not _INVENTED.fullmatch(d)]
    return numbers[0] if numbers else symbols[0] if symbols else None


def _broadcast(inputs: Sequence[Dims], rank: int) -> list[int | str | None]:
    """Return the dimensions that *inputs* broadcast to; None where two symbols meet."""
    found: list[int | str | None] = []
    for column in zip_longest(*(reversed(dims) for dims in inputs), fillvalue=1):
        wide = {dim for dim in column if dim != 1}
        numbers = [dim for dim in wide if isinstance(dim, int)]
        found.append(numbers[0] if numbers else wide.pop() if len(wide) == 1 else None)
    return [*reversed(found)] if len(found) == rank else [None] * rank


def _reshaped(source: Dims, node: ir.Node) -> Dims | None:
    """Return the dimensions after a reshape to a constant target, the free one computed."""
    target = constant_of(node.inputs[1])
    if target is None or (0 in target.tolist() and node.attributes.get_int("allowzero")):
        return None
    wanted: list[int | str | None] = [
        (source[index] if index < len(source) else None) if dim == 0 else dim
        for index, dim in enumerate(target.tolist())
    ]
    if wanted.count(-1) != 1 or None in wanted or None in source:
        return None
    count, symbols = product_of(source)
    others, taken = product_of([dim for dim in wanted if dim != -1])
    if not others or count % others or taken - symbols:
        return None
    left = [*(symbols - taken).elements()]
    number = count // others
    name = "*".join([str(number)] * (number != 1 or not left) + sorted(left))
    return [(int(name) if name.isdecimal() else name) if dim == -1 else dim for dim in wanted]


def product_of(dims: Dims) -> tuple[int, Counter[str]]:
    """Return the number and the symbols that *dims* multiply to; ``8*batch`` is both."""
    number, symbols = 1, Counter[str]()
    for dim in dims:
        for factor in str(dim).split("*"):
            if factor.isdecimal():
                number *= int(factor)
            else:
                symbols[factor] += 1
    return number, symbols
