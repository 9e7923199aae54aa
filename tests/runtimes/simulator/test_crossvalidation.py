"""What is left out is not known: neither its device's other settings nor its family."""

import numpy as np
import pytest

from runtimes.simulator.crossvalidation import Study, covered, leave_out
from runtimes.simulator.tables import Setting
from tests.runtimes.simulator.devices import devices
from tests.tolerances import proportion


def study(*, noise: float) -> Study:
    data, _ = devices(3, count=24, models=12, noise=noise)
    settings = tuple(
        Setting(device=f"d{i // 2}", chip="", threads="1", cores=str(i % 2), run="", date="")
        for i in range(24)
    )
    return Study(
        settings=settings,
        models=tuple(f"m{i}" for i in range(12)),
        data=data,
        macs=np.ones(12),
        family=tuple(f"f{i // 3}" for i in range(12)),
    )


def test_predictions_know_neither_device_nor_family() -> None:
    made = study(noise=0.05)
    found = leave_out(made, anchors=4, folds=3)
    assert len(found) == made.data.log_ms.size
    family = dict(zip(made.models, made.family, strict=True))
    assert all(p.family == family[p.model] for p in found)
    assert all(family[anchor] != p.family for p in found for anchor in p.anchors)
    fold = {(p.setting.device, p.fold) for p in found}
    assert len(fold) == len({p.setting.device for p in found})  # a device is in one fold, whole


def test_a_left_out_time_changes_only_its_own_error() -> None:
    made = study(noise=0.05)
    before = leave_out(made, anchors=4, folds=3)
    used = {(p.setting, a) for p in before for a in p.anchors}
    target = next(p for p in before if (p.setting, p.model) not in used)
    row, column = made.settings.index(target.setting), made.models.index(target.model)
    made.data.log_ms[row, column] += 1.0
    after = leave_out(made, anchors=4, folds=3)
    mine = next(p for p in after if (p.setting, p.model) == (target.setting, target.model))
    assert mine.predicted == pytest.approx(target.predicted)
    assert mine.log_ms == pytest.approx(target.log_ms + 1)


def test_intervals_calibrated_elsewhere_cover_as_they_say() -> None:
    found = leave_out(study(noise=0.1), anchors=4, folds=3)
    for level, share in covered(found).items():
        # Errors of one device go together: 24 settings count, rather than 288 times.
        assert share == pytest.approx(level, abs=proportion(level, 24 * 4))
