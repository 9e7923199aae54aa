"""How a program feeds a model and reads its answers: what data and training know, not the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What is known about the use of a model.

    Attributes:
        mean: subtracted from raw values such as pixels of 0 to 255, one or one a channel.
        std: what they are divided by then.
        color: order of an image's channels: RGB, BGR, L for grey; empty where it is not known.
        labels: names of the classes, in the order of the first output's last axis.
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    color: str = ""
    labels: tuple[str, ...] = ()

    @property
    def normalizes(self) -> bool:
        """Whether raw values change before they are fed."""
        return any(self.mean) or any(s != 1.0 for s in self.std)

    def to_json(self) -> dict[str, Any]:
        """Return what is known as a JSON-ready mapping."""
        known: dict[str, Any] = {"mean": list(self.mean), "std": list(self.std)}
        if self.color:
            known["color"] = self.color
        if self.labels:
            known["labels"] = list(self.labels)
        return known
