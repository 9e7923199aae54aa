"""Drop what exporters leave behind: stack traces, build paths, documentation strings."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.annotations import stamp_origin
from compressor.ir.rewrite import numbered
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class ClearMetadata:
    """Remove metadata and documentation; name every node uniquely and record that name."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Clean *model* and its values."""
        cleared, taken = 0, {node.name for node in model.graph.all_nodes()}
        seen: set[str] = set()
        for index, node in enumerate(model.graph.all_nodes()):
            cleared += bool(node.metadata_props or node.doc_string)
            node.metadata_props.clear()
            node.doc_string = None
            if not node.name or node.name in seen:
                node.name = numbered(node.name or f"{node.op_type}_{index}", taken)
            seen.add(node.name)
            taken.add(node.name)
            stamp_origin(node, node)
            for value in node.outputs:
                value.metadata_props.clear()
                value.doc_string = None
        for value in (*model.graph.inputs, *model.graph.initializers.values()):
            value.metadata_props.clear()
            value.doc_string = None
        for holder in (model, model.graph):
            holder.metadata_props.clear()
            holder.doc_string = None
        model.graph.name = "main"
        return Changes(counts={"nodes cleared": cleared})
