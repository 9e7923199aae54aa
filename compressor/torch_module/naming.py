"""Where in a module a constant goes: dots in its name make submodules, as PyTorch names them."""

from __future__ import annotations

from torch import nn


class Scope(nn.Module):  # type: ignore[misc]
    """Holds the constants whose names begin alike."""


def place(root: nn.Module, name: str) -> tuple[nn.Module, str, str]:
    """Return (submodule, name in it, whole path) for the constant *name*; makes submodules.

    A part that PyTorch could not store, for it is empty or an attribute of modules already, has an
    underscore added.
    """
    *parents, last = name.split(".")
    owner, path = root, []
    for part in parents:
        part = _free(owner, part, scopes=True)  # noqa: PLW2901 - the part as stored
        if part not in owner._modules:  # noqa: SLF001 - hasattr would find methods as well
            owner.add_module(part, Scope())
        owner = owner._modules[part]  # noqa: SLF001
        path.append(part)
    last = _free(owner, last, scopes=False)
    return owner, last, ".".join([*path, last])


def _free(owner: nn.Module, part: str, *, scopes: bool) -> str:
    name = part or "_"
    while not (scopes and isinstance(getattr(owner, name, None), Scope)) and hasattr(owner, name):
        name += "_"
    return name
