"""A commented project file for a model, with every setting and budgets that INT8 usually keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from bench.metric import find_metric, metric_names
from compressor.data.description import read_description
from compressor.recipe import Recipe, Scheme
from compressor.settings import Setting, plain, settings_of

_BUDGETS = """\
# Limits on what comes out. Each is text with a unit, or {{ limit = "...", level = "warn" }}; the
# levels are error, warn and off. "0.5x float" counts from the float model, "+5 %" from a baseline.
# Budgets for some artifacts only stand in [budgets.artifact."*.tflite"].
[budgets]
size.file = "{size}"
{quality}# latency.litert = {{ limit = "1.0x float", level = "warn" }}
# memory.added = "64 MB"
# ops.deny = ["CUSTOM"]

# What "+5 %" is counted from: a folder that `edgec baseline OUT` made.
# [gate]
# baseline = "baseline"
"""


def project_text(model: str, data: Path | None, folder: Path) -> str:
    """Return the text of a project file in *folder* that compiles and gates *model* as it stands.

    Without *data*, the scheme is one that needs none and no quality is budgeted.
    """
    scheme = Scheme.INT8_WEIGHTS if data is None else Scheme.INT8
    return "\n".join(_lines(model, data, folder, scheme)) + "\n" + _budgets(data)


def _lines(model: str, data: Path | None, folder: Path, scheme: Scheme) -> Iterator[str]:
    yield "# What to compile, how, and what must come out: `edgec compile --recipe edgec.toml`,"
    yield "# then `edgec gate OUT`. Paths are relative to this file."
    yield "[model]"
    yield f"path = {json.dumps(_relative(model, folder))}"
    yield '# weights = "checkpoint.pt"'
    yield '# input_shape = ["x=1,3,224,224"]'
    yield ""
    yield "# Samples to calibrate on and to judge by: .npz, folder of images, file.py:function,"
    yield "# or a .toml that names one; else the keys of such a .toml here."
    if data is None:
        yield "# [data]"
        yield '# path = "samples.npz"'
    else:
        yield "[data]"
        yield f"path = {json.dumps(_relative(str(data), folder))}"
    section = ""
    for known in sorted(settings_of(Recipe), key=lambda known: known.key.partition(".")[0]):
        name, _, key = known.key.partition(".")
        if name != section:
            section = name
            yield ""
            yield f"[{section}]"
            if section == "export":
                yield 'output = "edgec-out"'
        yield from _setting(known, key, scheme)


def _setting(known: Setting, key: str, scheme: Scheme) -> Iterator[str]:
    yield f"# {known.help}"
    if known.kind is Scheme:
        yield f"{key} = {json.dumps(scheme.value)}"
    elif known.default is None:
        yield f"# {key} is not set"
    else:
        yield f"# {key} = {json.dumps(plain(known.default))}"


def _budgets(data: Path | None) -> str:
    """Return the budgets, those in force being ones that INT8 usually keeps."""
    name = None if data is None else read_description(data).metric
    known = name in metric_names() and find_metric(str(name)).point is not None
    quality = f'max_drop.{name} = "1 pt"\n' if known else '# max_drop.top1 = "1 pt"\n'
    return "\n" + _BUDGETS.format(size="0.5x float", quality=quality)


def _relative(path: str, folder: Path) -> str:
    """Return *path* from *folder* on; a factory's name stays behind its colon."""
    file, colon, name = path.rpartition(":")
    file, name = (file, name) if colon else (path, "")
    return Path(os.path.relpath(file, folder)).as_posix() + colon + name
