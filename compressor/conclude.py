"""The last stage: remarks, and everything that is known as ``report.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bench.environment import environment
from bench.report import report_json, report_text
from compressor.analyses.anatomy import anatomy_of
from compressor.dataset import Dataset
from compressor.job import Job
from compressor.ledger import ledger_json
from compressor.remarks import remarks


def conclude(job: Job) -> Mapping[str, Any]:
    """Write ``report.json`` beside the artifacts and return its content."""
    summary, source = job.summary, job.source
    for text in remarks(job.artifacts, summary, job.recipe):
        job.notebook.note(text)
    metadata = {
        "model": {"fingerprint": source.fingerprint, "interface": source.interface.to_json()},
        "data": _provenance(job.dataset),
        "recipe": job.recipe.to_json(),
        "quantization": {
            **summary.to_json(),
            "sensitivity": [entry.to_json() for entry in job.sensitivity],
        },
        "rollbacks": [rollback.to_json() for rollback in job.rollbacks],
        "pruning": None if job.pruning is None else job.pruning.to_json(),
        "layers": [asdict(n) for n in anatomy_of(job.graph).nodes if n.macs or n.parameters],
        "as_read": asdict(source.as_read),
        "ledger": list(ledger_json(source.as_read, job.ledger)),
        "notes": job.notebook.notes,
    }
    report = report_json(job.record, job.artifacts, environment(), metadata)
    (job.place.output / "report.json").write_text(report_text(report))
    return report


def _provenance(dataset: Dataset | None) -> dict[str, str] | None:
    return None if dataset is None else {"name": dataset.path.name, "sha256": dataset.digest()}
