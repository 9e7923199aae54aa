"""The populations that come with edgec: what is known of any CPU before it is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from runtimes.simulator.features import NAMES
from runtimes.simulator.population import Population

PATH = Path(__file__).parent / "populations.json"


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A population with its calibration.

    Attributes:
        scales: by number of anchors, the stated deviations that hold 80 and 90 % of the times of
            devices and model families that were left out.
        quantities: of the models whose times are behind it, by name: possible anchors.
        settings: ways of running behind it.
    """

    population: Population
    scales: Mapping[int, tuple[float, float]]
    quantities: Mapping[str, tuple[float, ...]]
    settings: int

    def scales_for(self, anchors: int) -> tuple[float, float]:
        """Return the scales for the largest studied number of anchors up to *anchors*."""
        studied = [count for count in self.scales if count <= anchors]
        return self.scales[max(studied, default=min(self.scales))]


@cache
def shipped(threads: int) -> Shipped:
    """Return the population of CPUs running on one thread, or on several."""
    tree = json.loads(PATH.read_text(encoding="utf-8"))
    if tuple(tree["prices"]) != NAMES:
        raise ValueError("the shipped populations are of other prices: fit them again")
    entry = tree["one" if threads == 1 else "several"]
    half = np.zeros((len(NAMES), len(NAMES)))
    half[np.tril_indices(len(NAMES))] = entry["covariance"]
    return Shipped(
        population=Population(
            mean=np.array(entry["mean"]),
            covariance=half + np.tril(half, -1).T,
            noise=entry["noise"],
        ),
        scales={int(count): (low, high) for count, (low, high) in entry["scales"].items()},
        quantities={name: tuple(row) for name, row in tree["models"].items()},
        settings=entry["settings"],
    )
