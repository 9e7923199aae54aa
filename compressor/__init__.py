"""Everything from a model file on disk to a finished, annotated graph.

``from compressor import compile_model`` is the main job as a function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compressor.compile import Compilation, compile_model

__all__ = ["Compilation", "compile_model"]


def __getattr__(name: str) -> object:
    """Import the compiler when it is first asked for: ``edgec --help`` does without it."""
    if name not in __all__:
        raise AttributeError(f"module 'compressor' has no attribute '{name}'")
    from compressor import compile as compiler

    return getattr(compiler, name)
