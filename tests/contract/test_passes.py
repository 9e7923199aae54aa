"""What every pass, quantizer and exporter offers, so that the folder can be the table."""

import dataclasses
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import onnx_ir as ir
import pytest

import compressor.passes
from compressor import pipeline
from compressor.calibration.histogram import HistogramObserver
from compressor.catalog import Catalog
from compressor.ir.fingerprint import fingerprint
from compressor.passes.protocol import Changes, PassContext, pass_name
from compressor.recipe import EXPORTERS, RANGE_METHODS
from exporters.protocol import ExportOptions
from tests.graphs import gaussian
from tests.quantized import GRAPHS, quantized

PASSES = [
    info.name
    for info in pkgutil.iter_modules(compressor.passes.__path__)
    if not info.ispkg and not info.name.startswith("_") and info.name != "protocol"
]
MODULES = Catalog("compressor.passes", shared=("protocol",))
NEED_A_TABLE = {"quantize_static"}


def pass_of(name: str) -> type:
    """Return the one public dataclass that the module of pass *name* defines."""
    found = [
        member
        for _, member in inspect.getmembers(MODULES[name], inspect.isclass)
        if member.__module__ == MODULES[name].__name__
        and not member.__name__.startswith("_")
        and not issubclass(member, Exception)
    ]
    assert len(found) == 1, f"{name} defines {[member.__name__ for member in found]}"
    return found[0]


@pytest.mark.parametrize("name", PASSES)
def test_pass_is_a_frozen_dataclass_named_like_its_file(name: str) -> None:
    kind = pass_of(name)
    assert dataclasses.is_dataclass(kind)
    parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert kind.__name__ == "".join(part.capitalize() for part in name.split("_"))
    assert pass_name(kind()) == name


@pytest.mark.parametrize("name", PASSES)
def test_pass_has_options_with_defaults_and_says_what_it_does(name: str) -> None:
    kind = pass_of(name)
    kind()  # every option has a default, so the tables and the command line need none
    assert kind.__doc__
    assert kind.run.__doc__
    signature = inspect.signature(kind.run)
    assert list(signature.parameters) == ["self", "model", "context"]
    assert signature.return_annotation == "Changes"


@pytest.mark.parametrize("name", [name for name in PASSES if name not in NEED_A_TABLE])
@pytest.mark.parametrize("graph", GRAPHS)
def test_pass_is_honest_about_what_it_changed(name: str, graph: str) -> None:
    """Counts of zero mean that nothing changed, on canonical graphs and on annotated ones."""
    for model in (GRAPHS[graph](), annotated(graph)):
        for node in model.graph:
            node.meta.setdefault("edgec.origin", (node.name,))
        before = fingerprint(model)
        changes = pass_of(name)().run(model, PassContext())
        assert isinstance(changes, Changes)
        assert all(isinstance(count, int) for count in changes.counts.values())
        if not changes.modified:
            assert fingerprint(model) == before


def annotated(graph: str) -> ir.Model:
    model = GRAPHS[graph]()
    quantized(model)
    return model


@pytest.mark.parametrize("name", [name for name in PASSES if name not in NEED_A_TABLE])
@pytest.mark.parametrize("graph", GRAPHS)
def test_pass_finds_nothing_the_second_time(name: str, graph: str) -> None:
    model = GRAPHS[graph]()
    step = pass_of(name)()
    step.run(model, PassContext())
    assert not step.run(model, PassContext()).modified


def test_pipeline_is_made_of_the_passes_in_the_folder() -> None:
    used = {pass_name(step) for step in pipeline.CANONICALIZE}
    assert used <= set(PASSES)
    decided = {
        "migrate_scales",
        "quantize_dynamic",
        "quantize_static",
        "quantize_weights",
        "remove_channels",
        "sparsify",
        "round_weights",
    }
    decided |= {"set_io_layout", "set_io_type"}
    assert used >= set(PASSES) - decided


@pytest.mark.parametrize("name", list(RANGE_METHODS))
def test_range_method(name: str) -> None:
    module: ModuleType = RANGE_METHODS[name]
    assert module.__doc__
    assert isinstance(module.NEEDS_HISTOGRAM, bool)
    assert list(inspect.signature(module.choose_range).parameters) == ["statistics"]
    observer = HistogramObserver()
    values = gaussian(1000)
    observer.update(values)
    low, high = module.choose_range(observer.result())
    assert values.min() <= low < high <= values.max()


@pytest.mark.parametrize("name", list(EXPORTERS))
def test_exporter(name: str) -> None:
    module: ModuleType = EXPORTERS[name]
    assert module.__doc__
    assert str(module.SUFFIX) == f".{name}"
    model = annotated("residual")
    before = fingerprint(model)
    assert module.check(model, ExportOptions()) == []
    content = module.write(model, ExportOptions())
    assert isinstance(content, bytes)
    assert module.write(model, ExportOptions()) == content
    assert fingerprint(model) == before


@pytest.mark.parametrize("name", list(EXPORTERS))
def test_saved_artifact_is_the_written_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{name}"
    files = EXPORTERS[name].save(annotated("residual"), ExportOptions(), path)
    assert files == (path,)
    assert path.read_bytes() == EXPORTERS[name].write(annotated("residual"), ExportOptions())


@pytest.mark.parametrize("name", list(EXPORTERS))
def test_manifest_is_in_every_artifact(name: str) -> None:
    manifest = {"edgec": "the manifest of this very test"}
    content = EXPORTERS[name].write(annotated("residual"), ExportOptions(manifest=manifest))
    assert manifest["edgec"].encode() in content
