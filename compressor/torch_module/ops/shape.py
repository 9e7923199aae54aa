"""Shapes as data, tensors made from numbers, and types."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor

from compressor.torch_module.site import Build, Kernel, Site
from compressor.torch_module.tensors import tensor_of


def _shape(site: Site) -> Kernel:
    start, end = site.integer("start", 0), site.integer("end", 1 << 30)
    return lambda x: torch.tensor(x.shape[start:end], dtype=torch.int64, device=x.device)


def _size(_: Site) -> Kernel:
    return lambda x: torch.tensor(x.numel(), dtype=torch.int64, device=x.device)


def _constant(site: Site) -> Kernel:
    for name, attribute in site.node.attributes.items():
        if name == "value":
            tensor = _real(site, tensor_of(attribute.as_tensor().numpy()))
        elif name in ("value_float", "value_floats"):
            tensor = torch.tensor(attribute.value, dtype=site.real)
        elif name in ("value_int", "value_ints"):
            tensor = torch.tensor(attribute.value, dtype=torch.int64)
        else:
            raise site.refused(f"a constant as {name}")
        fixed = tensor
        return lambda: fixed.to(site.home.device)
    raise site.refused("a constant without a value")


def _constant_of_shape(site: Site) -> Kernel:
    shape_of = site.whole(0)
    value = site.node.attributes.get("value")
    filled = torch.zeros(1) if value is None else tensor_of(value.as_tensor().numpy())
    filled = _real(site, filled.reshape(()))

    def run(shape: Tensor | None = None) -> Tensor:
        return filled.to(site.home.device).expand(shape_of(shape)).clone()

    return run


def _real(site: Site, tensor: Tensor) -> Tensor:
    return tensor.to(site.real) if tensor.dtype == torch.float32 else tensor


def _range(_: Site) -> Kernel:
    """Counted first, as the standard says, and then multiplied: no error adds up."""

    def run(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
        count = max(0, math.ceil((limit.item() - start.item()) / delta.item()))
        return (start + delta * torch.arange(count, device=start.device)).to(start.dtype)

    return run


def _eye_like(site: Site) -> Kernel:
    offset = site.integer("k", 0)
    dtype = site.type_of(site.integer("dtype", 0)) if site.has("dtype") else None

    def run(x: Tensor) -> Tensor:
        rows = torch.arange(x.shape[0], device=x.device)[:, None]
        columns = torch.arange(x.shape[1], device=x.device)[None, :]
        return (columns - rows == offset).to(dtype or x.dtype)

    return run


def _cast(site: Site) -> Kernel:
    dtype = site.type_of(site.integer("to", ir.DataType.FLOAT))
    return lambda x: x.to(dtype)


def _cast_like(_: Site) -> Kernel:
    return lambda x, like: x.to(like.dtype)


def _window(*coefficients: float) -> Build:
    """A sum of cosines: ``a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N)``."""

    def build(site: Site) -> Kernel:
        size_of, periodic = site.whole(0), site.integer("periodic", 1)
        dtype = site.type_of(site.integer("output_datatype", ir.DataType.FLOAT))

        def run(size: Tensor | None = None) -> Tensor:
            count = size_of(size)[0]
            angle = 2 * math.pi * torch.arange(count, dtype=torch.float64)
            angle = angle / (count if periodic else count - 1)
            terms = enumerate(coefficients)
            found = sum((-1) ** k * a * torch.cos(k * angle) for k, a in terms)
            return torch.as_tensor(found).to(site.home.device, dtype)

        return run

    return build


def _mel_weights(site: Site) -> Kernel:
    """O'Shaughnessy's mel scale, ``2595 log10(1 + f / 700)``, as triangles over DFT bins."""
    dtype = site.type_of(site.integer("output_datatype", ir.DataType.FLOAT))

    def run(bins: Tensor, length: Tensor, rate: Tensor, low: Tensor, high: Tensor) -> Tensor:
        count, size = int(bins.item()), int(length.item())
        edges = 2595 * np.log10(1 + np.array([low.item(), high.item()]) / 700)
        mels = edges[0] + np.arange(count + 2) * (edges[1] - edges[0]) / (count + 2)
        hertz = 700 * (np.power(10, mels / 2595) - 1)
        places = ((size + 1) * hertz / rate.item()).astype(np.int64)
        weights = np.zeros((size // 2 + 1, count))
        for band in range(count):
            left, centre, right = places[band : band + 3]
            rising, falling = np.arange(left, centre + 1), np.arange(centre, right)
            weights[rising, band] = (rising - left) / (centre - left) if centre > left else 1
            weights[falling, band] = (right - falling) / max(1, right - centre)
        return torch.from_numpy(weights).to(bins.device, dtype)

    return run


OPS: Mapping[str, Build] = {
    "BlackmanWindow": _window(0.42, 0.5, 0.08),
    "Cast": _cast,
    "CastLike": _cast_like,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "EyeLike": _eye_like,
    "HammingWindow": _window(25 / 46, 21 / 46),
    "HannWindow": _window(0.5, 0.5),
    "MelWeightMatrix": _mel_weights,
    "Range": _range,
    "Shape": _shape,
    "Size": _size,
}
