"""What to compile on: samples to calibrate with, samples to judge by, and their labels.

Arrays stay in their stored type; only the batch in hand is converted to what the model takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor import lint
from compressor.data.description import Description, read_description
from compressor.data.feeding import FeedPlan, plan_feeding
from compressor.data.function import FunctionStore
from compressor.data.images import ImageStore
from compressor.data.npz import open_archive
from compressor.data.store import CALIBRATION_SUFFIX, LABELS, SAMPLES, Store
from compressor.data.user_code import is_code
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Interface, TensorSpec
from compressor.lint import Finding

Array = npt.NDArray[Any]
Batch = dict[str, Array]

BATCH = 16
_SPREAD_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Checked samples, ready to be fed; iterating gives batches, as often as wanted.

    Attributes:
        stored: leading samples of each input as stored, by input name.
        plans: how each input is fed, by input name.
        batch: samples a batch; the last one is shorter unless the model's batch axis is fixed.
        findings: doubts that do not stop the work.
        where: the file and the arrays that they come from.
    """

    stored: Mapping[str, Array]
    plans: Mapping[str, FeedPlan]
    batch: int
    findings: tuple[Finding, ...]
    where: str

    def __len__(self) -> int:
        return min(len(array) for array in self.stored.values())

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self), self.batch):
            yield {
                name: self.plans[name].feed(array[start : start + self.batch])
                for name, array in self.stored.items()
            }


class Dataset:
    """Samples and labels; reads of each array no more than is asked for."""

    def __init__(self, description: Description, store: Store) -> None:
        """Join a description with what it names."""
        self.description = description
        self._store = store
        self._read: dict[str, Array] = {}

    @property
    def path(self) -> Path:
        """The file or folder that holds the samples."""
        return self.description.file

    @property
    def metric(self) -> str | None:
        """Name of the metric that the description states, if it does."""
        return self.description.metric

    @property
    def is_images(self) -> bool:
        """Whether samples are decoded from image files."""
        return isinstance(self._store, ImageStore)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in the order of their numbers, where they are known."""
        return self._store.class_names if isinstance(self._store, ImageStore) else ()

    @property
    def has_labels(self) -> bool:
        """Whether there is an array of labels."""
        return LABELS in self._store.arrays

    def calibration(self, interface: Interface, limit: int, *, batch: int = BATCH) -> Samples:
        """Return up to *limit* samples for calibration, fed as *interface* takes them.

        Of more samples that were set aside for it they are taken evenly: data is often sorted.

        Raises:
            EdgecError: ``DATA_MISSING_ARRAY``, ``DATA_EMPTY``, ``DATA_SHAPE``, ``DATA_DTYPE``,
                ``DATA_NOT_FINITE`` or ``DATA_UNREADABLE``, each naming the array.
        """
        names = self._calibration_arrays(interface)
        samples = self._samples(
            interface, names, limit, batch, spread=_are_separate({*names.values()})
        )
        doubts = lint.few_samples(len(samples), samples.where)
        return replace(samples, findings=(*samples.findings, *doubts))

    def evaluation(self, interface: Interface, limit: int, *, batch: int = BATCH) -> Samples:
        """Return up to *limit* samples to judge by; raises as ``calibration`` does."""
        names = {spec.name: self._array_of(spec, interface) for spec in interface.inputs}
        return self._samples(interface, names, limit, batch)

    def labels(self, samples: Samples) -> Array:
        """Return the labels of evaluation *samples*, ``[n, ...]``; a column becomes a row.

        Raises:
            EdgecError: ``DATA_LABELS`` when there are none, ``DATA_NOT_FINITE`` for NaN.
        """
        if not self.has_labels:
            raise EdgecError(
                Code.DATA_LABELS,
                "the data has no labels",
                where=str(self.path),
                expected=f"an array '{LABELS}' with one label for each sample",
            )
        labels = self._load(LABELS, len(samples))
        lint.check_finite(labels, self._where(LABELS))
        return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels

    def notes(self, interface: Interface) -> tuple[str, ...]:
        """Return what was chosen for the user because the data does not say it."""
        calibration = self._calibration_arrays(interface)
        if any(name.endswith(CALIBRATION_SUFFIX) for name in calibration.values()):
            return ()
        first = next(iter(calibration.values()))
        return (
            f"no '{first}{CALIBRATION_SUFFIX}' in {self.path.name}: "
            f"calibrating on the first samples of '{first}', which also judge the result",
        )

    def digest(self) -> str:
        """Return the SHA-256 of all samples and labels read so far and of how they are fed."""
        how = (self.description.feeding, self.description.decoding)
        state = hashlib.sha256(repr(how).encode())
        for name, array in sorted(self._read.items()):
            state.update(f"{name} {array.dtype.str} {array.shape}".encode())
            state.update(np.ascontiguousarray(array).data)
        return state.hexdigest()

    def _samples(
        self,
        interface: Interface,
        names: Mapping[str, str],
        limit: int,
        batch: int,
        *,
        spread: bool = False,
    ) -> Samples:
        used = set(names.values())
        self._store.prepare(used | {LABELS} if not _are_separate(used) else used, limit)
        self._check_counts(names)
        batch = _fixed_batch(interface) or batch
        plans = {spec.name: self._plan(spec, names[spec.name]) for spec in interface.inputs}
        available = self._store.arrays[next(iter(names.values()))].samples
        count = _whole_batches(min(limit, available), interface, self.path)
        taken = available if spread and self._fits(names.values()) else count
        stored = {name: self._checked(plans[name], names[name], taken) for name in names}
        if taken > count:
            places = np.linspace(0, taken - 1, count).round().astype(int)
            stored = {name: array[places] for name, array in stored.items()}
        findings = [
            doubt
            for name, plan in plans.items()
            if plan.spec.numpy.kind == "f"
            for doubt in lint.constant_channels(
                stored[name], plan.channel_axis, self._where(names[name])
            )
        ]
        return Samples(
            stored=stored,
            plans=plans,
            batch=batch,
            findings=tuple(findings),
            where=self._where(*names.values()),
        )

    def _fits(self, names: Iterable[str]) -> bool:
        """Whether the arrays *names* can be read as a whole at little cost."""
        arrays = [self._store.arrays[name] for name in names]
        sizes = [prod(stored.shape) * stored.dtype.itemsize for stored in arrays]
        return not self.is_images and sum(sizes) <= _SPREAD_BYTES

    def _plan(self, spec: TensorSpec, name: str) -> FeedPlan:
        stored = self._store.arrays[name]
        lint.check_dtype(stored.dtype, spec, self._where(name))
        return plan_feeding(spec, stored.shape, self.description.feeding, self._where(name))

    def _checked(self, plan: FeedPlan, name: str, count: int) -> Array:
        array = self._load(name, count)
        lint.check_finite(array, self._where(name))
        lint.check_integer_range(array, plan.spec, self._where(name))
        return array

    def _check_counts(self, names: Mapping[str, str]) -> None:
        first = self._store.arrays[next(iter(names.values()))]
        for name in names.values():
            evaluated = not name.endswith(CALIBRATION_SUFFIX)
            labels = self._store.arrays.get(LABELS) if evaluated else None
            stored = self._store.arrays[name]
            lint.check_counts(stored.samples, labels.samples if labels else None, self._where(name))
            if stored.samples != first.samples:
                raise EdgecError(
                    Code.DATA_EMPTY,
                    f"'{name}' has {stored.samples} samples, '{first.name}' {first.samples}",
                    where=str(self.path),
                    expected="as many samples for every input",
                )

    def _array_of(self, spec: TensorSpec, interface: Interface) -> str:
        names = [spec.name] if len(interface.inputs) > 1 else [SAMPLES, spec.name]
        found = next((name for name in names if name in self._store.arrays), None)
        if found is None:
            raise EdgecError(
                Code.DATA_MISSING_ARRAY,
                f"there are no samples for the input '{spec.name}'",
                where=str(self.path),
                expected=f"an array '{names[0]}' of {spec}",
                hint=f"the file holds: {', '.join(sorted(self._store.arrays)) or 'nothing'}",
            )
        return found

    def _calibration_arrays(self, interface: Interface) -> dict[str, str]:
        names = {spec.name: self._array_of(spec, interface) for spec in interface.inputs}
        separate = {key: name + CALIBRATION_SUFFIX for key, name in names.items()}
        present = [name for name in separate.values() if name in self._store.arrays]
        if present and len(present) < len(separate):
            missing = next(name for name in separate.values() if name not in present)
            raise EdgecError(
                Code.DATA_MISSING_ARRAY,
                f"there is '{present[0]}' but no '{missing}'",
                where=str(self.path),
                expected="calibration samples for every input, or for none",
            )
        return separate if present else names

    def _load(self, name: str, count: int) -> Array:
        if name not in self._read or len(self._read[name]) < count:
            self._read[name] = self._store.read(name, count)
        return self._read[name][:count]

    def _where(self, *names: str) -> str:
        return f"{self.path}, array {', '.join(map(repr, names))}"


def open_dataset(data: Path | Description) -> Dataset:
    """Open an ``.npz``, a folder of images, ``file.py:function``, or a ``.toml`` that names one.

    A description that was read already is opened as it is.

    Raises:
        EdgecError: ``DATA_NOT_FOUND``, ``DATA_UNREADABLE``, ``DATA_EMPTY``, ``EXTRA_MISSING`` or
            ``RECIPE_INVALID``.
    """
    description = data if isinstance(data, Description) else read_description(data)
    source = description.path
    if is_code(source):
        return Dataset(description, FunctionStore(source))
    if source.is_dir():
        return Dataset(description, ImageStore(source, description.decoding))
    return Dataset(description, open_archive(source))


def _are_separate(names: set[str]) -> bool:
    return any(name.endswith(CALIBRATION_SUFFIX) for name in names)


def _fixed_batch(interface: Interface) -> int | None:
    fixed = [spec.shape[0] for spec in interface.inputs if spec.shape]
    return next((length for length in fixed if isinstance(length, int)), None)


def _whole_batches(count: int, interface: Interface, path: Path) -> int:
    """Leave out the samples that do not fill a batch of the model's fixed length."""
    batch = _fixed_batch(interface) or 1
    if count < batch:
        raise EdgecError(
            Code.DATA_EMPTY,
            f"the model takes {batch} samples at once, there are {count}",
            where=str(path),
            expected="enough samples to fill a batch",
        )
    return count - count % batch
