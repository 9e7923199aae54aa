"""Matrix products."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site


def _gemm(site: Site) -> Kernel:
    alpha, beta = site.number("alpha", 1.0), site.number("beta", 1.0)
    turn_a, turn_b = bool(site.integer("transA", 0)), bool(site.integer("transB", 0))
    plain = alpha == 1.0 and beta == 1.0 and not turn_a

    def run(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        if plain and turn_b and (c is None or c.shape == b.shape[:1]):
            return functional.linear(a, b, c)
        product = (a.T if turn_a else a) @ (b.T if turn_b else b)
        if alpha != 1.0:
            product = alpha * product
        if c is None:
            return product
        return (product + (c if beta == 1.0 else beta * c)).to(a.dtype)

    return run


def _matmul_integer(_: Site) -> Kernel:
    """In float64, which holds every sum of products of 8-bit numbers exactly."""

    def run(
        a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None
    ) -> Tensor:
        left, right = a.double(), b.double()
        if a_zero is not None:
            rows = a_zero.numel() > 1 and a_zero.ndim == 1
            left = left - (a_zero.double()[:, None] if rows else a_zero.double())
        if b_zero is not None:
            right = right - b_zero.double()
        return torch.matmul(left, right).to(torch.int32)

    return run


def _matmul(_: Site) -> Kernel:
    def run(a: Tensor, b: Tensor) -> Tensor:
        return torch.matmul(a, b)

    return run


def _einsum(site: Site) -> Kernel:
    equation = site.text("equation", "")
    return lambda *operands: torch.einsum(equation, *operands)


OPS: Mapping[str, Build] = {
    "Det": lambda _: torch.linalg.det,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MatMulInteger": _matmul_integer,
}
