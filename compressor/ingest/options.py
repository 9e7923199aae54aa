"""What a source file does not say about itself: weights and input shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compressor.errors import Code, EdgecError

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """Facts that complete a source.

    Attributes:
        weights: checkpoint to load into a model that a factory returns.
        input_shapes: shape of each input by name, batch axis first (its length is not kept: the
            batch axis stays dynamic).
    """

    weights: Path | None = None
    input_shapes: Mapping[str, Shape] = field(default_factory=dict)


def parse_input_shapes(settings: Iterable[str]) -> dict[str, Shape]:
    """Read ``name=1,3,224,224`` settings; raises ``USAGE`` on any other form."""
    shapes: dict[str, Shape] = {}
    for setting in settings:
        name, _, dims = setting.partition("=")
        shapes[name.strip()] = _parse_dims(dims, setting)
        if not name.strip():
            raise _malformed(setting)
    return shapes


def _parse_dims(text: str, setting: str) -> Shape:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise _malformed(setting)
    return tuple(int(part) for part in parts)


def _malformed(setting: str) -> EdgecError:
    return EdgecError(
        Code.USAGE,
        f"cannot read the input shape '{setting}'",
        where="--input-shape",
        expected="a name and positive lengths: name=1,3,224,224",
    )
