"""The models of a benchmark: what each is called and takes, and the file that a runtime runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compressor.adapter import Adapter
from compressor.errors import Code, EdgecError
from compressor.export import write_artifact
from compressor.ingest.options import IngestOptions
from compressor.ir.interface import Interface, TensorSpec
from compressor.recipe import EXPORTERS
from compressor.source import Source, read_source
from exporters.protocol import ExportOptions
from runtimes.protocol import Runtime, SessionOptions
from runtimes.targets import open_session, runtime_for

_NOT_READ = (".ort",)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One model of a benchmark.

    Attributes:
        name: as the user wrote it, shortened to what tells it from the others.
        path: the file or folder, or ``file.py:factory``.
        source: its graph; None for files that only a runtime reads.
        interface: what it takes and gives.
    """

    name: str
    path: Path
    source: Source | None
    interface: Interface

    def file_for(self, runtime: Runtime, folder: Path) -> Path:
        """Return a file of this model that *runtime* takes; its own, or a float one in *folder*.

        Raises:
            EdgecError: ``RUNTIME_REFUSED`` when there is no format for it; ``NO_LOWERING``.
        """
        if self.path.suffix in runtime.SUFFIXES and self.path.is_file():
            return self.path
        formats = [n for n in EXPORTERS if EXPORTERS[n].SUFFIX in runtime.SUFFIXES]
        if self.source is None or not formats:
            raise EdgecError(
                Code.RUNTIME_REFUSED,
                f"{runtime.NAME} does not take '{self.path.suffix}' files",
                where=str(self.path),
                expected=f"one of: {', '.join(runtime.SUFFIXES)}",
            )
        wanted = next((n for n in ("onnx", "tflite") if n in formats), formats[0])
        stem = folder / f"{_plain(self.name)}-{wanted}"
        stem.parent.mkdir(exist_ok=True)
        return write_artifact(self.source.model, wanted, stem, ExportOptions()).path


def contenders(specs: tuple[str, ...], ingest: IngestOptions) -> list[Contender]:
    """Return the models named by *specs*, in their order; raises as ``read_source``."""
    return [_contender(spec, name, ingest) for spec, name in zip(specs, _names(specs), strict=True)]


def adapted(first: Interface, other: Interface) -> Adapter:
    """Return the adapter that feeds samples of *first* to *other*, paired by name or place."""
    return Adapter(
        source=first,
        artifact=Interface(
            inputs=_paired(first.inputs, other.inputs, "inputs"),
            outputs=_paired(first.outputs, other.outputs, "outputs"),
        ),
    )


def _contender(spec: str, name: str, ingest: IngestOptions) -> Contender:
    path = Path(spec)
    if path.suffix in _NOT_READ:
        session = open_session(runtime_for(path).NAME, path, SessionOptions())
        return Contender(name=name, path=path, source=None, interface=session.interface)
    source = read_source(spec, ingest)
    return Contender(name=name, path=path, source=source, interface=source.interface)


def _names(specs: tuple[str, ...]) -> list[str]:
    """Return file names, with as many folders before them as it takes to tell them apart."""
    parts = [Path(spec).parts for spec in specs]
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{name} #{index}" for index, name in enumerate(specs, 1)]


def _paired(
    ours: tuple[TensorSpec, ...], theirs: tuple[TensorSpec, ...], kind: str
) -> tuple[TensorSpec, ...]:
    """Return *theirs* in the order of *ours*."""
    if len(ours) != len(theirs):
        raise EdgecError(
            Code.MODEL_UNSUPPORTED,
            f"the models have {len(ours)} and {len(theirs)} {kind}",
            expected="forms of one model",
        )
    by_name = {spec.name: spec for spec in theirs}
    if {spec.name for spec in ours} == set(by_name):
        return tuple(by_name[spec.name] for spec in ours)
    return theirs


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name)
