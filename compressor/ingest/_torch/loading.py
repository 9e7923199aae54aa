"""From a factory, a checkpoint or an exported program to a model that runs."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .._child.refusal import RefusalError
from .._child.request import Made, Request
from . import safetensors
from .damage import why_unreadable
from .examples import example_inputs, example_of
from .subject import Subject

OUTPUT_NAMES = "OUTPUT_NAMES"
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_PLAIN = "save plain weights: torch.save(model.state_dict(), 'weights.pt')"


def complete(made: Made, request: Request) -> Subject:
    """Complete what the user's factory returned with weights and example inputs."""
    module = made.model
    if not isinstance(module, nn.Module):
        raise RefusalError(
            "FACTORY_FAILED",
            f"'{request.factory}' gave a {type(module).__name__}",
            expected="a torch.nn.Module",
        )
    module.float().eval().requires_grad_(requires_grad=False)
    if request.weights is not None:
        load_weights(module, request.weights)
    inputs, names = example_inputs(module, made.own, request)
    return Subject(
        run=module,
        module=module,
        inputs=inputs,
        input_names=names,
        output_names=list(getattr(made.own, OUTPUT_NAMES, ())),
    )


def load_weights(module: nn.Module, path: Path) -> None:
    """Load the checkpoint at *path*, which must fit key by key and shape by shape."""
    given = read_state_dict(path)
    own = module.state_dict()
    missing = [k for k in own if k not in given and not k.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in own]
    reshaped = [key for key in own if key in given and own[key].shape != given[key].shape]
    problems = [
        *(f"lacks '{key}'" for key in missing[:3]),
        *(f"has the unknown '{key}'" for key in unexpected[:3]),
        *(f"has '{k}' as {[*given[k].shape]}, not {[*own[k].shape]}" for k in reshaped[:3]),
    ]
    if problems:
        count = len(missing) + len(unexpected) + len(reshaped)
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"{count} of the keys do not fit: the checkpoint {'; '.join(problems)}",
            where=str(path),
            expected=f"the {len(own)} tensors of the factory's model",
        )
    module.load_state_dict(given, strict=False)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors by name, never running code from the file; common wrappers are taken off."""
    if path.suffix == safetensors.SUFFIX:
        return safetensors.read_file(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"this is not a file of plain weights: {why_unreadable(error)}",
            where=str(path),
            expected="a state dict; pickled modules and TorchScript are not loaded",
            hint=_PLAIN,
        ) from error
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise RefusalError(
            "WEIGHTS_MISMATCH", "this is not a state dict", where=str(path), hint=_PLAIN
        )
    prefix = "module."  # from torch.nn.DataParallel
    wrapped = all(key.startswith(prefix) for key in content)
    return {key.removeprefix(prefix) if wrapped else key: v for key, v in content.items()}


def load_program(request: Request) -> Subject:
    """Load a ``.pt2`` file with every pickle in it refused."""
    try:
        with no_pickles():
            program = torch.export.load(request.source)
    except Exception as error:
        raise RefusalError(
            "MODEL_UNREADABLE",
            f"this is not a readable exported program: {why_unreadable(error)}",
            expected="a file written by torch.export.save, without custom objects",
        ) from error
    names = list(program.graph_signature.user_inputs)
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    inputs = {name: example_of(nodes[name].meta["val"]) for name in map(str, names)}
    return Subject(run=program.module(), module=program, inputs=inputs, input_names=list(inputs))


@contextmanager
def no_pickles() -> Iterator[None]:
    """Refuse, while active, to look up any Python object that a pickle names."""
    active = True

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if active and event == "pickle.find_class":
            raise RefusalError("MODEL_UNREADABLE", "it holds a pickled Python object")

    sys.addaudithook(refuse)
    try:
        yield
    finally:
        active = False
