"""Bring every model to the one opset that the rest of the compiler reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import InlinePass, RemoveUnusedFunctionsPass

from compressor.errors import Code, EdgecError
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.opset.bodies import body_of, has_body
from compressor.passes.opset.newer import NEWER
from compressor.passes.opset.older import OLDER
from compressor.passes.opset.site import Site, Unconvertible, names_of
from compressor.passes.protocol import Changes, PassContext

CANONICAL_OPSET = 21
OLDEST_OPSET = 7
_STANDARD = ("", "ai.onnx")


@dataclass(frozen=True, kw_only=True)
class ConvertOpset:
    """Convert the default domain to ``CANONICAL_OPSET``, exactly or not at all.

    Every operator is converted by itself, by what its schema says has changed: older forms by the
    rules in ``opset/older.py``, newer ones by those in ``opset/newer.py`` or by the function that
    the standard defines them as. (The converters of onnx and onnxscript leave some operators
    unconverted without saying so.)
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Convert *model* in place.

        Raises:
            EdgecError: ``MODEL_UNSUPPORTED`` when a node has no equal at the canonical opset.
        """
        opset = model.opset_imports.get("", model.opset_imports.get("ai.onnx", CANONICAL_OPSET))
        model.ir_version = max(model.ir_version or 0, 10)
        model.opset_imports.pop("ai.onnx", None)
        model.opset_imports[""] = CANONICAL_OPSET
        if opset == CANONICAL_OPSET:
            return Changes()
        model.opset_imports[""] = opset
        InferShapes().run(model, context)  # rules need types and ranks
        model.opset_imports[""] = CANONICAL_OPSET
        _Converter(model).convert(list(model.graph.all_nodes()), opset)
        if model.functions:
            InlinePass()(model)
            RemoveUnusedFunctionsPass()(model)  # type: ignore[no-untyped-call]
        return Changes(counts={f"opset {opset} to {CANONICAL_OPSET}": 1})


class _Converter:
    """Converts nodes of one model; function bodies of new operators join its functions."""

    def __init__(self, model: ir.Model) -> None:
        self._model = model
        self._taken = names_of(model)

    def convert(self, nodes: Iterable[ir.Node], opset: int) -> None:
        """Convert the standard operators among *nodes*, which are written in *opset*."""
        for node in nodes:
            if node.domain not in _STANDARD:
                continue
            try:
                self._convert_node(node, opset)
            except Unconvertible as reason:
                raise EdgecError(
                    Code.MODEL_UNSUPPORTED,
                    f"{node.op_type} of opset {opset} cannot be written in {CANONICAL_OPSET}: "
                    f"{reason}",
                    where=f"node '{node.name}'",
                    expected=f"operators that opset {CANONICAL_OPSET} can express",
                    hint=f"export the model again with opset {CANONICAL_OPSET}",
                ) from reason

    def _convert_node(self, node: ir.Node, opset: int) -> None:
        old, new = _schema(node.op_type, opset), _schema(node.op_type, CANONICAL_OPSET)
        if old is None:
            raise Unconvertible("there is no such operator")
        if new is None and node.op_type in NEWER:
            NEWER[node.op_type](Site(node, self._taken))
        elif new is None:
            self._expand(node, old)
        elif old.since_version < new.since_version or new.deprecated:
            for version, rule in sorted(OLDER.get(node.op_type, {}).items()):
                if old.since_version < version <= CANONICAL_OPSET:
                    rule(Site(node, self._taken))
        elif old.since_version > new.since_version:
            self._convert_newer(node, old)

    def _convert_newer(self, node: ir.Node, schema: onnx.defs.OpSchema) -> None:
        rule = NEWER.get(node.op_type)
        if rule is not None:
            rule(Site(node, self._taken))
        reason = _newer_than_canonical(node)
        if reason and has_body(schema):
            self._expand(node, schema)
        elif reason:
            raise Unconvertible(reason)

    def _expand(self, node: ir.Node, schema: onnx.defs.OpSchema) -> None:
        """Let *node* call the function that the standard defines it as."""
        function = body_of(node, schema, f"{node.op_type}_{len(self._model.functions)}")
        opset = function.opset_imports.pop("", CANONICAL_OPSET)
        function.opset_imports[""] = CANONICAL_OPSET
        self.convert(list(function.all_nodes()), opset)
        self._model.functions[function.identifier()] = function
        self._model.opset_imports[function.domain] = 1
        node.domain, node.op_type = function.domain, function.name


def _schema(op_type: str, opset: int) -> onnx.defs.OpSchema | None:
    try:
        return onnx.defs.get_schema(op_type, opset)
    except onnx.defs.SchemaError:
        return None


def _newer_than_canonical(node: ir.Node) -> str:
    """Return which type or attribute of *node* its canonical form lacks, empty for none."""
    schema = onnx.defs.get_schema(node.op_type, CANONICAL_OPSET)
    unknown = set(node.attributes) - set(schema.attributes)
    if unknown:
        return f"attribute {min(unknown)} is newer"
    allowed = {c.type_param_str: set(c.allowed_type_strs) for c in schema.type_constraints}
    for formals, values in ((schema.inputs, node.inputs), (schema.outputs, node.outputs)):
        for index, value in enumerate(values):
            formal = formals[min(index, len(formals) - 1)]
            if value is None or value.dtype is None or not isinstance(value.type, ir.TensorType):
                continue
            name = f"tensor({_TYPE_NAMES.get(value.dtype, value.dtype.name.lower())})"
            if name not in allowed.get(formal.type_str, {formal.type_str}):
                return f"{name} is newer"
    return ""


_TYPE_NAMES = {ir.DataType.FLOAT: "float", ir.DataType.DOUBLE: "double"}
