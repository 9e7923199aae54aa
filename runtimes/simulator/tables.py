"""Published measurements as tables: the operators of models, and times of models on devices."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.simulator.work import Kind, Work

_MAX_ROWS = 1_000_000
_SAME_FAMILY = 0.6  # share of the smaller model's convolutions that the larger one also has

_KINDS = {
    "c3s1": Kind.CONV, "conv": Kind.CONV, "pw": Kind.CONV, "gconv": Kind.CONV,
    "dw": Kind.DEPTHWISE, "fc": Kind.DENSE, "pool": Kind.POOL, "free": Kind.FREE,
}  # fmt: skip
_OTHER = {
    "BatchNorm": Kind.ELEMENTWISE, "BinaryOp": Kind.ELEMENTWISE, "Eltwise": Kind.ELEMENTWISE,
    "HardSigmoid": Kind.ELEMENTWISE, "HardSwish": Kind.ELEMENTWISE, "ReLU": Kind.ELEMENTWISE,
    "Reduction": Kind.ELEMENTWISE, "UnaryOp": Kind.ELEMENTWISE, "Clip": Kind.ELEMENTWISE,
    "PReLU": Kind.ELEMENTWISE, "Scale": Kind.ELEMENTWISE,
    "Concat": Kind.MOVEMENT, "Crop": Kind.MOVEMENT, "Flatten": Kind.MOVEMENT,
    "Interp": Kind.MOVEMENT, "Padding": Kind.MOVEMENT, "Permute": Kind.MOVEMENT,
    "Reshape": Kind.MOVEMENT, "ShuffleChannel": Kind.MOVEMENT, "Slice": Kind.MOVEMENT,
    "PixelShuffle": Kind.MOVEMENT, "Reorg": Kind.MOVEMENT,
    "DetectionOutput": Kind.TRANSCENDENTAL, "LRN": Kind.TRANSCENDENTAL,
    "Sigmoid": Kind.TRANSCENDENTAL, "Softmax": Kind.TRANSCENDENTAL, "Swish": Kind.TRANSCENDENTAL,
    "TanH": Kind.TRANSCENDENTAL, "Mish": Kind.TRANSCENDENTAL, "ELU": Kind.TRANSCENDENTAL,
    "Yolov3DetectionOutput": Kind.TRANSCENDENTAL, "YoloDetectionOutput": Kind.TRANSCENDENTAL,
    "Noop": Kind.FREE, "Dropout": Kind.FREE,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One way in which a device was measured; its times belong together.

    Attributes:
        chip: the chip and its cores as published.
        threads: of one inference; cores: 0 all, 1 the little ones, 2 the big ones.
        run: which block of rows; date: when it was published.
    """

    device: str
    chip: str
    threads: str
    cores: str
    run: str
    date: str


def read_operators(path: Path) -> dict[str, list[Work]]:
    """Return the operators of each model in the table at *path*, in its order."""
    models: dict[str, list[Work]] = defaultdict(list)
    for line, row in _rows(path, ("model", "type", "kind", "macs", "weights", "int8")):
        try:
            models[row["model"]].append(_work(row))
        except (KeyError, ValueError) as error:
            raise _unreadable(path, line, str(error)) from error
    return dict(models)


def read_times(path: Path, models: Sequence[str]) -> dict[Setting, dict[str, float]]:
    """Return milliseconds by setting and model, of the CPU rows about *models* at *path*."""
    found: dict[Setting, dict[str, float]] = defaultdict(dict)
    known = set(models)
    for line, row in _rows(path, ("device", "threads", "model", "latency_ms")):
        if row.get("accelerator", "cpu") not in ("", "cpu") or row["model"] not in known:
            continue
        try:
            time = float(row["latency_ms"])
        except ValueError as error:
            raise _unreadable(path, line, str(error)) from error
        if not 0 < time < float("inf"):
            raise _unreadable(path, line, f"latency_ms is {row['latency_ms']}")
        found[_setting(row)][row["model"]] = time
    return dict(found)


def families(models: Mapping[str, Sequence[Work]]) -> dict[str, str]:
    """Return each model's family, named by its first member.

    Two models are of one family when most convolutions of the smaller are in the larger, at
    any resolution and precision: a detector belongs to its backbone, whatever it is called.
    """
    parts = {model: Counter(map(_shape, works)) for model, works in models.items()}
    family = {model: model for model in models}
    for model in models:
        for other in models:
            if model < other and _overlap(parts[model], parts[other]) >= _SAME_FAMILY:
                kept, gone = sorted((family[model], family[other]))
                family = {name: kept if of == gone else of for name, of in family.items()}
    return family


def _shape(work: Work) -> tuple[int, ...]:
    if not work.macs:
        return ()
    return (work.window, work.stride, work.groups, work.channels_in, work.channels_out)


def _overlap(first: Counter[tuple[int, ...]], second: Counter[tuple[int, ...]]) -> float:
    first, second = Counter(first), Counter(second)
    first.pop((), None)
    second.pop((), None)
    smaller = min(first.total(), second.total())
    return (first & second).total() / smaller if smaller else 0.0


def _rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise EdgecError(Code.DATA_NOT_FOUND, "there is no such table", where=str(path))
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise _unreadable(path, 1, f"there is no column '{missing[0]}'")
        for line, row in enumerate(reader, start=2):
            if line > _MAX_ROWS:
                raise _unreadable(path, line, f"more than {_MAX_ROWS:,} rows")
            yield line, row


def _work(row: Mapping[str, str]) -> Work:
    number = {key: int(row[key]) for key in _NUMBERS}
    kind = _KINDS.get(row["kind"]) or _OTHER.get(row["type"], Kind.UNCOVERED)
    if kind is Kind.DEPTHWISE and row["type"].startswith("Deconvolution"):
        kind = Kind.MOVEMENT  # it enlarges an image; its weights are constant
    weights, groups = number["weights"], number["groups"]
    # A grouped convolution's row states channels as its author counted them; weights do not lie.
    made = number["cout"]
    taken = (
        weights // (number["k"] * made) * groups
        if row["kind"] == "gconv" and weights
        else number["cin"]
    )
    return Work(
        name=row.get("name", ""), kind=kind, macs=number["macs"], weights=weights,
        elements_in=number["in_el"], elements_out=number["out_el"], window=number["k"],
        stride=number["stride"], groups=groups, channels_in=taken, channels_out=made,
        width=number["ow"], height=number["oh"], integer=row["int8"] == "True",
    )  # fmt: skip


_NUMBERS = (
    "macs",
    "weights",
    "in_el",
    "out_el",
    "k",
    "stride",
    "groups",
    "cin",
    "cout",
    "ow",
    "oh",
)


def _setting(row: Mapping[str, str]) -> Setting:
    return Setting(
        device=row["device"],
        chip=row.get("soc", ""),
        threads=row["threads"],
        cores=row.get("powersave", ""),
        run=row.get("run", ""),
        date=row.get("row_date", ""),
    )


def _unreadable(path: Path, line: int, what: str) -> EdgecError:
    return EdgecError(Code.DATA_UNREADABLE, what, where=f"{path}, line {line}")
