"""Compilations that several tests look at, each made once a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compressor.compile import Compilation, compile_model
from compressor.ingest.options import IngestOptions
from compressor.recipe import Recipe, Scheme

CompileModel = Callable[..., Compilation]

DESCRIPTIONS = {
    "fashion": ("layout = 'NHWC'", "divide = 255.0", "mean = [0.2860]", "std = [0.3530]"),
    "cifar": (
        "layout = 'NHWC'",
        "divide = 255.0",
        "mean = [0.485, 0.456, 0.406]",
        "std = [0.229, 0.224, 0.225]",
    ),
    "as stored NHWC": ("layout = 'NHWC'",),
    "as stored NCHW": ("layout = 'NCHW'",),
    "efficientnet": ("layout = 'NHWC'", "divide = 128.0", "mean = [0.9921875]"),
}


def describe(folder: Path, archive: Path, feeding: str) -> Path:
    """Write a data description for *archive* into *folder*."""
    path = folder / f"{archive.stem}-{feeding.replace(' ', '-')}.toml"
    path.write_text("\n".join([f"path = '{archive}'", *DESCRIPTIONS[feeding]]) + "\n")
    return path


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> CompileModel:
    """Compile a model without measuring latency; the same arguments give the same result."""
    made: dict[tuple[object, ...], Compilation] = {}

    def run(
        model: str,
        data: Path | None,
        *,
        feeding: str | None = None,
        scheme: Scheme = Scheme.INT8,
        input_shapes: tuple[tuple[str, tuple[int, ...]], ...] = (),
        calib_samples: int = 200,
    ) -> Compilation:
        key = (model, data, feeding, scheme, input_shapes, calib_samples)
        if key not in made:
            folder = tmp_path_factory.mktemp("compiled")
            described = describe(folder, data, feeding) if data and feeding else data
            made[key] = compile_model(
                model,
                output=folder / "out",
                data=described,
                recipe=Recipe(quantize=scheme, latency_seconds=0, calib_samples=calib_samples),
                ingest=IngestOptions(input_shapes=dict(input_shapes)),
            )
        return made[key]

    return run
