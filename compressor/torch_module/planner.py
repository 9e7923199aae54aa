"""Graph to program: a kernel for each node, fake quantization where a value is annotated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import onnx_ir as ir
import torch

from compressor.catalog import Catalog
from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.torch_module.fake_quant import fake_quantizer, quantize_at_run_time
from compressor.torch_module.plan import Program, Step, with_freed
from compressor.torch_module.site import Body, Build, Home, Kernel, Site

_FAMILIES = Catalog("compressor.torch_module.ops")
_DYNAMIC_OPERATORS = frozenset({"Conv", "Gemm", "MatMul"})
_DOMAINS = frozenset({"", "ai.onnx", "edgec"})


def operators() -> dict[str, Build]:
    """Return what builds the kernel of each operator, from all families."""
    table: dict[str, Build] = {}
    for module in _FAMILIES.values():
        table.update(cast("dict[str, Build]", module.OPS))
    return table


class Planner:
    """Numbers values and makes steps; one serves a graph and all its subgraphs.

    Attributes:
        constants: initializers that some kernel is fed, by number.
    """

    def __init__(self, real: torch.dtype, home: Home) -> None:
        self._real = real
        self._home = home
        self._operators = operators()
        self._numbers: dict[ir.Value, int] = {}
        self._count = 0
        self._prologue: list[Step] = []
        self.constants: dict[int, ir.Value] = {}

    def plan(self, graph: ir.Graph) -> Program:
        """Return the program of the main *graph*.

        Raises:
            EdgecError: ``MODEL_UNSUPPORTED`` for a node that PyTorch cannot run, with the reason.
        """
        program = self._program(graph)
        steps = with_freed([*self._prologue, *program.steps], program.outputs)
        return Program(inputs=program.inputs, outputs=program.outputs, steps=steps)

    def _program(self, graph: ir.Graph) -> Program:
        inputs = tuple(self._number(value) for value in graph.inputs)
        steps: list[Step] = []
        for node in graph:
            self._add(node, steps)
        outputs = tuple(self._read(value) for value in graph.outputs)
        return Program(inputs=inputs, outputs=outputs, steps=with_freed(steps, outputs))

    def _add(self, node: ir.Node, steps: list[Step]) -> None:
        site = Site(node, self._real, self._home, self._body)
        kernel = self._kernel(site)
        operands: list[int | None] = [
            None if value is None or index in site.taken else self._read(value)
            for index, value in enumerate(node.inputs)
        ]
        operands += site.captured
        if _is_dynamic(node) and operands[0] is not None:
            source = operands[0]
            operands[0] = self._insert(f"{node.name}_dynamic", quantize_at_run_time, source, steps)
        results = tuple(self._number(value) for value in node.outputs)
        steps.append(
            Step(name=node.name or "", kernel=kernel, inputs=tuple(operands), outputs=results)
        )
        for value in node.outputs:
            self._quantize(value, steps)

    def _kernel(self, site: Site) -> Kernel:
        node = site.node
        build = self._operators.get(node.op_type) if node.domain in _DOMAINS else None
        if build is None:
            raise site.refused(f"no kernel for {node.domain or 'ai.onnx'}.{node.op_type}")
        return build(site)

    def _read(self, value: ir.Value) -> int:
        """Return the number of *value*; a constant is registered when it is first read."""
        if value.const_value is None or value in self._numbers:
            return self._number(value)
        self.constants[self._number(value)] = value
        self._quantize(value, self._prologue)
        return self._numbers[value]

    def _quantize(self, value: ir.Value, steps: list[Step]) -> None:
        """Let later readers of an annotated *value* see what its integers stand for."""
        params = quant_of(value)
        if params is None:
            return
        kernel = fake_quantizer(params, constant=value.const_value is not None)
        source = self._numbers[value]
        self._numbers[value] = self._insert(f"{value.name}_quantized", kernel, source, steps)

    def _insert(self, name: str, kernel: Kernel, source: int, steps: list[Step]) -> int:
        result = self._next()
        steps.append(Step(name=name, kernel=kernel, inputs=(source,), outputs=(result,)))
        return result

    def _body(self, graph: ir.Graph) -> tuple[Body, list[int]]:
        """Return the function that runs *graph*, and the numbers of what it reads from outside."""
        program = self._program(graph)
        captured = program.free

        def run(inputs: Sequence[Any], capture: Sequence[Any]) -> list[Any]:
            return program.run(inputs, dict(zip(captured, capture, strict=True)))

        return run, captured

    def _number(self, value: ir.Value) -> int:
        if value not in self._numbers:
            self._numbers[value] = self._next()
        return self._numbers[value]

    def _next(self) -> int:
        self._count += 1
        return self._count


def _is_dynamic(node: ir.Node) -> bool:
    return precision_of(node) is Precision.DYNAMIC and node.op_type in _DYNAMIC_OPERATORS
