"""Arrays to tensors and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compressor.errors import Code, EdgecError

Array = npt.NDArray[Any]


def tensor_of(array: Array) -> torch.Tensor:
    """Return a tensor with a copy of *array*; ``MODEL_UNSUPPORTED`` when it holds no numbers."""
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    if array.dtype.kind not in "fiubc":
        raise EdgecError(Code.MODEL_UNSUPPORTED, f"PyTorch has no tensors of {array.dtype}")
    return torch.from_numpy(np.array(array, order="C"))


def array_of(tensor: torch.Tensor) -> Array:
    """Return the numbers of *tensor* in main memory; bfloat16 becomes float32."""
    real = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    array: Array = real.detach().cpu().numpy()
    return array
