"""``TorchModule``: a canonical model as an ``nn.Module``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor, nn

from compressor.ir.interface import Interface, interface_of
from compressor.ir.op_facts import NORMALIZATIONS
from compressor.torch_module.naming import place
from compressor.torch_module.planner import Planner
from compressor.torch_module.site import Home
from compressor.torch_module.tensors import array_of, tensor_of

_LAYERS = NORMALIZATIONS | {
    *("BatchNormalization", "Conv", "ConvTranspose", "Gemm", "GRU", "LSTM", "MatMul", "PRelu"),
    *("DeformConv", "RNN"),
}


class TorchModule(nn.Module):  # type: ignore[misc]
    """Computes what *model* means, on tensors of any batch that the graph admits.

    Float constants are parameters called as the initializers are (``state_dict`` of a model that
    came from PyTorch has its own keys again), other constants are buffers. A single number that
    no layer reads, such as the root of two in a GELU, is part of a formula: a buffer, too. Values
    with ``QuantParams`` are rounded to their grid with a straight-through gradient. Everything is
    in real numbers: an input or output of integer type is fed and given as what it stands for.

    Attributes:
        interface: names, types and shapes of what ``forward`` takes and gives, in order.
        parameter_names: name of the parameter or buffer of each initializer.
    """

    def __init__(self, model: ir.Model, *, real: torch.dtype = torch.float32) -> None:
        """Plan *model*; *real* stands for its float32, in half precision for example.

        Raises:
            EdgecError: ``MODEL_UNSUPPORTED`` for an operator without a kernel, with the reason.
        """
        super().__init__()
        self.interface: Interface = interface_of(model)
        for spec in self.interface.inputs:
            tensor_of(np.empty(0, spec.numpy))  # text is refused before anything is planned
        self._real = real
        self._home = Home(torch.device("cpu"))
        planner = Planner(real, self._home)
        self._program = planner.plan(model.graph)
        self.parameter_names: dict[str, str] = {}
        self._holders: list[tuple[int, Mapping[str, Tensor], str]] = []
        for number, value in planner.constants.items():
            self._hold(number, value)

    def forward(self, *inputs: Tensor) -> Any:  # noqa: ANN401 - a tensor, or a tuple of several
        """Return the output, or a tuple of them when there are several."""
        constants = {number: held[name] for number, held, name in self._holders}
        fed = [x.to(self._real) if x.dtype == torch.float32 else x for x in inputs]
        outputs = self._program.run(fed, constants)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> TorchModule:
        """Follow ``to()`` and its kind: kernels make tensors where the parameters are."""
        super()._apply(fn, recurse)
        self._home.device = fn(torch.empty(0, device=self._home.device)).device
        return self

    def write_back(self, model: ir.Model) -> None:
        """Store the parameters, trained perhaps, in the initializers that they came from."""
        state = self.state_dict()
        for name, key in self.parameter_names.items():
            value = model.graph.initializers.get(name)
            if value is not None and value.const_value is not None:
                array = array_of(state[key]).astype(value.const_value.numpy().dtype)
                value.const_value = ir.tensor(array, name=name)

    def _hold(self, number: int, value: ir.Value) -> None:
        if value.const_value is None:
            raise ValueError(f"'{value.name}' is no constant")
        tensor = tensor_of(value.const_value.numpy())
        if tensor.dtype == torch.float32:
            tensor = tensor.to(self._real)
        owner, key, path = place(self, value.name or "constant")
        if tensor.is_floating_point() and _is_learned(value):
            owner.register_parameter(key, nn.Parameter(tensor))
            self._holders.append((number, owner._parameters, key))  # noqa: SLF001 - torch's own way is slow
        else:
            owner.register_buffer(key, tensor)
            self._holders.append((number, owner._buffers, key))  # noqa: SLF001
        self.parameter_names[value.name or ""] = path


def _is_learned(value: ir.Value) -> bool:
    """Whether training may change *value*: all but single numbers that no layer reads."""
    size = 1 if value.const_value is None else value.const_value.size
    return size > 1 or any(node.op_type in _LAYERS for node in value.consumers())
