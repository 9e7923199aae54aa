"""One compilation under way: what its stages may use, and what they have made so far."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import onnx_ir as ir

from bench.gate.budget import Budget
from bench.records import ArtifactRecord, SourceRecord
from compressor.artifact import QuantizationSummary, Rollback, Trial, summarize_quantization
from compressor.calibration.channels import ChannelStatistics
from compressor.calibration.collect import RunnerFactory
from compressor.calibration.table import CalibrationTable
from compressor.dataset import Dataset
from compressor.evaluation import Samples
from compressor.files import OutputFolder
from compressor.ledger import LedgerEntry
from compressor.ort_runner import runner_factory
from compressor.passes.protocol import Pass, PassContext
from compressor.pipeline import Evaluate, run_passes
from compressor.progress import Notebook, Progress
from compressor.pruning.summary import PruneSummary
from compressor.recipe import Recipe
from compressor.sensitivity import LayerError
from compressor.source import Source
from runtimes.isolate import Worker


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where a compilation works.

    Attributes:
        output: the folder of artifacts; becomes the user's when all went well.
        scratch: a folder that vanishes with the compilation.
        worker: the child process that runs models.
        notebook: hears what is being done, and keeps the notes.
    """

    output: Path
    scratch: Path
    worker: Worker
    notebook: Notebook


@contextmanager
def workplace(output: Path, model: str, progress: Progress) -> Iterator[Workplace]:
    """Open a workplace whose artifacts become *output* unless an error leaves the block."""
    with (
        OutputFolder(output, sources=[Path(model)]) as folder,
        tempfile.TemporaryDirectory(prefix="edgec-") as temporary,
        Worker() as worker,
    ):
        yield Workplace(
            output=folder.building,
            scratch=Path(temporary),
            worker=worker,
            notebook=Notebook(progress),
        )


@dataclass(kw_only=True)
class Job:
    """One compilation under way; each stage reads what it needs and fills in what it makes.

    Attributes:
        place: folders, child process, notebook.
        recipe: what to do.
        source: the model as read; stays as it is.
        dataset: where samples come from, if the user has any.
        samples: what artifacts are judged by.
        reference: the float model as an ONNX file, whose answers are the truth.
        pruned: the float model after pruning as an ONNX file; what artifacts then must answer like.
        evaluate: measures a graph's quality after a pass, when the recipe asks for it.
        graph: the working graph, a copy of the source's that stages change.
        ledger: what passes did so far.
        channels: statistics of channels that may be evened out, by value name.
        table: activation statistics of ``prepared``.
        plain: the float graph before it was prepared for integers.
        prepared: the float graph that calibration saw, to annotate it in other ways.
        keep_float: layers that go without integers to keep the loss within bounds.
        sensitivity: errors of layers, the worst first, where they were measured.
        variants: graphs of formats that have another than ``graph``.
        rollbacks: why they have.
        pruning: what was removed, where something was.
        trials: artifacts with their float baselines.
        budgets: limits on what comes out.
        record: measurements of the source.
        artifacts: measurements of each artifact.
    """

    place: Workplace
    recipe: Recipe
    source: Source
    dataset: Dataset | None
    samples: Samples
    reference: Path
    pruned: Path | None = None
    evaluate: Evaluate | None
    graph: ir.Model
    ledger: list[LedgerEntry]
    channels: Mapping[str, ChannelStatistics] = field(default_factory=dict)
    pruning: PruneSummary | None = None
    table: CalibrationTable | None = None
    plain: ir.Model | None = None
    prepared: ir.Model | None = None
    keep_float: frozenset[str] = frozenset()
    sensitivity: Sequence[LayerError] = ()
    variants: dict[str, ir.Model] = field(default_factory=dict)
    rollbacks: Sequence[Rollback] = ()
    trials: Sequence[Trial] = ()
    budgets: Sequence[Budget] = ()
    record: SourceRecord
    artifacts: Sequence[ArtifactRecord] = field(default_factory=list)

    @property
    def notebook(self) -> Notebook:
        """What hears of the work."""
        return self.place.notebook

    @property
    def make_runner(self) -> RunnerFactory:
        """Makes functions that execute a float graph and return chosen values."""
        return runner_factory(self.place.scratch)

    @property
    def summary(self) -> QuantizationSummary:
        """What of the working graph is integer, and why the rest is not."""
        return summarize_quantization(self.graph)

    def graph_of(self, name: str) -> ir.Model:
        """Return the graph that format *name* is written from."""
        return self.variants.get(name, self.graph)

    def run(self, passes: Sequence[Pass], *, keeps_interface: bool = True) -> None:
        """Run *passes* over the working graph and enter what they did into the ledger.

        The graph is held against the source's interface, unless the passes are there to change it.
        """
        self.ledger += run_passes(
            self.graph,
            passes,
            interface=self.source.interface if keeps_interface else None,
            context=PassContext(table=self.table, channels=self.channels),
            observe=self.notebook.ran,
            evaluate=self.evaluate,
        )


Stage = Callable[[Job], None]
