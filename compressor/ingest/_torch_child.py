"""A program of its own: turns a PyTorch model into an ONNX file, in a process that ends with it.

Run as ``python -P _torch_child.py``. A JSON request comes on stdin; the ONNX file and a JSON
result go into the folder that the request names. It imports nothing of edgec, so that a user's
modules may have any name.
"""

import importlib
import inspect
import json
import pickle
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import onnx_ir.passes.common as cleaning
import onnxruntime
import torch
from torch import Tensor, nn

OPSET = 20
BATCH = "batch"
EXAMPLE_BATCH = 2
SEED = 0

# Sums of float32 in another order differ by some 1e-6 of the largest output, a wrong graph by more
# than any threshold.
PARITY = 1e-3

EXAMPLES = "example_inputs"
OUTPUT_NAMES = "OUTPUT_NAMES"
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_TRACE_FAILURES = (RuntimeError, ValueError, TypeError, AssertionError)
_PLAIN = "save plain weights: torch.save(model.state_dict(), 'weights.pt')"

Facts = dict[str, str]
Array = npt.NDArray[Any]


class RefusalError(Exception):
    """The request cannot be met; *facts* are the parts of the parent's error."""

    def __init__(self, code: str, what: str, **facts: str) -> None:
        super().__init__(what)
        self.facts: Facts = {"code": code, "what": what, **facts}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the parent asks for; ``factory`` is None for a ``.pt2`` file."""

    source: Path
    factory: str | None
    weights: Path | None
    shapes: Mapping[str, Sequence[int]]
    folder: Path


@dataclass(kw_only=True)
class Subject:
    """A runnable model, its example inputs by forward() parameter, and the names for ONNX."""

    run: Callable[..., Any]
    module: nn.Module | torch.export.ExportedProgram
    inputs: dict[str, Tensor]
    input_names: list[str]
    output_names: list[str] = field(default_factory=list)


# --- loading -------------------------------------------------------------------------------------


def load_factory(request: Request) -> Subject:
    """Run the user's factory and complete what it returns with weights and example inputs."""
    own = import_file(request.source)
    module = make_module(own, request.factory or "", request.source)
    module.eval().requires_grad_(requires_grad=False)
    if request.weights is not None:
        load_weights(module, request.weights)
    inputs, names = example_inputs(module, own, request)
    return Subject(
        run=module,
        module=module,
        inputs=inputs,
        input_names=names,
        output_names=list(getattr(own, OUTPUT_NAMES, ())),
    )


def import_file(source: Path) -> ModuleType:
    """Import *source* so that both its siblings and its package's relative imports work."""
    names, root = [source.stem], source.parent
    sys.path.insert(0, str(source.parent))
    while (root / "__init__.py").is_file():
        names.insert(0, root.name)
        root = root.parent
    sys.path.insert(1, str(root))
    return importlib.import_module(".".join(names))


def make_module(own: ModuleType, factory: str, source: Path) -> nn.Module:
    """Return the module that *factory* makes or is."""
    if not hasattr(own, factory):
        known = [n for n, v in vars(own).items() if getattr(v, "__module__", "") == own.__name__]
        raise RefusalError(
            "FACTORY_FAILED",
            f"'{source.name}' defines no '{factory}'",
            expected=f"one of: {', '.join(known)}" if known else "a function in that file",
        )
    made = getattr(own, factory)
    if not isinstance(made, nn.Module) and callable(made):
        made = made()
    if not isinstance(made, nn.Module):
        raise RefusalError(
            "FACTORY_FAILED",
            f"'{factory}' gave a {type(made).__name__}",
            expected="a callable without arguments that returns a torch.nn.Module",
        )
    return made


def load_weights(module: nn.Module, path: Path) -> None:
    """Load the checkpoint at *path*, which must fit key by key and shape by shape."""
    given = read_state_dict(path)
    own = module.state_dict()
    missing = [k for k in own if k not in given and not k.endswith("num_batches_tracked")]
    unexpected = [key for key in given if key not in own]
    reshaped = [key for key in own if key in given and own[key].shape != given[key].shape]
    problems = [
        *(f"lacks '{key}'" for key in missing[:3]),
        *(f"has the unknown '{key}'" for key in unexpected[:3]),
        *(f"has '{k}' as {[*given[k].shape]}, not {[*own[k].shape]}" for k in reshaped[:3]),
    ]
    if problems:
        count = len(missing) + len(unexpected) + len(reshaped)
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"{count} of the keys do not fit: the checkpoint {'; '.join(problems)}",
            where=str(path),
            expected=f"the {len(own)} tensors of the factory's model",
        )
    module.load_state_dict(given, strict=False)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors by name, never running code from the file; common wrappers are taken off."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"this is not a file of plain weights: {why_unreadable(error)}",
            where=str(path),
            expected="a state dict; pickled modules and TorchScript are not loaded",
            hint=_PLAIN,
        ) from error
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise RefusalError(
            "WEIGHTS_MISMATCH", "this is not a state dict", where=str(path), hint=_PLAIN
        )
    prefix = "module."  # from torch.nn.DataParallel
    wrapped = all(key.startswith(prefix) for key in content)
    return {key.removeprefix(prefix) if wrapped else key: v for key, v in content.items()}


def load_program(request: Request) -> Subject:
    """Load a ``.pt2`` file with every pickle in it refused."""
    try:
        with no_pickles():
            program = torch.export.load(request.source)
    except Exception as error:
        raise RefusalError(
            "MODEL_UNREADABLE",
            f"this is not a readable exported program: {why_unreadable(error)}",
            expected="a file written by torch.export.save, without custom objects",
        ) from error
    names = list(program.graph_signature.user_inputs)
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    inputs = {name: example_of(nodes[name].meta["val"]) for name in map(str, names)}
    return Subject(run=program.module(), module=program, inputs=inputs, input_names=list(inputs))


def example_of(value: object) -> Tensor:
    """Make an input like the traced *value*; free dimensions get the example batch."""
    if not isinstance(value, Tensor):
        raise RefusalError("MODEL_UNSUPPORTED", "the program takes an input that is not a tensor")
    shape = [dim if isinstance(dim, int) else EXAMPLE_BATCH for dim in value.shape]
    floating = value.dtype.is_floating_point
    return (
        torch.randn(shape, dtype=value.dtype) if floating else torch.ones(shape, dtype=value.dtype)
    )


@contextmanager
def no_pickles() -> Iterator[None]:
    """Refuse, while active, to look up any Python object that a pickle names."""
    active = True

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if active and event == "pickle.find_class":
            raise RefusalError("MODEL_UNREADABLE", "it holds a pickled Python object")

    sys.addaudithook(refuse)
    yield
    active = False


# --- example inputs ------------------------------------------------------------------------------


def example_inputs(
    module: nn.Module,
    own: ModuleType,
    request: Request,
) -> tuple[dict[str, Tensor], list[str]]:
    """Return example inputs by forward() parameter, and the names that ONNX gives them."""
    parameters = inspect.signature(module.forward).parameters.values()
    names = [p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    required = [p.name for p in parameters if p.name in names and p.default is p.empty]
    if request.shapes:
        return from_shapes(request.shapes, names, required)
    if hasattr(own, EXAMPLES):
        given = own.example_inputs()
        given = given if isinstance(given, Mapping) else dict(zip(names, given, strict=False))
        return dict(given), list(given)
    raise shape_needed(required[0] if required else names[0])


def from_shapes(
    shapes: Mapping[str, Sequence[int]], names: list[str], required: list[str]
) -> tuple[dict[str, Tensor], list[str]]:
    """Match the stated *shapes* to parameters: by name, or in order when no name agrees."""
    by_name = any(name in names for name in shapes)
    if not by_name and len(shapes) == len(required):
        pairs = list(zip(required, shapes, strict=True))
    else:
        unknown = [name for name in shapes if name not in names]
        if unknown:
            raise RefusalError(
                "USAGE",
                f"the model has no input '{unknown[0]}'",
                expected=f"one of: {', '.join(names)}",
                hint="name them as the parameters of forward()",
            )
        pairs = [(name, name) for name in names if name in shapes]
    for name in required:
        if name not in {parameter for parameter, _ in pairs}:
            raise shape_needed(name)
    inputs = {p: torch.randn(EXAMPLE_BATCH, *shapes[given][1:]) for p, given in pairs}
    return inputs, [given for _, given in pairs]


def shape_needed(name: str) -> RefusalError:
    """Return the refusal that asks for the shape of input *name*."""
    return RefusalError(
        "INPUT_SHAPE_NEEDED",
        f"the shape of input '{name}' is not stated",
        hint=f"give it: --input-shape {name}=1,3,224,224, or define {EXAMPLES}() in the file",
    )


# --- exporting -----------------------------------------------------------------------------------


def export(subject: Subject) -> ir.Model:
    """Trace and convert *subject*; the batch axis is dynamic where the model allows it."""
    example = run_once(subject, subject.inputs)
    names = subject.output_names or names_of(example)
    program = subject.module
    if isinstance(program, nn.Module):
        program = trace(program, subject.inputs)
    converted = torch.onnx.export(
        program,
        dynamo=True,
        optimize=True,
        opset_version=OPSET,
        input_names=subject.input_names,
        output_names=names,
        verbose=False,
    )
    if converted is None:
        raise RefusalError("EXPORT_FROM_TORCH_FAILED", "torch made no ONNX program")
    return tidy(converted.model)


def run_once(subject: Subject, inputs: Mapping[str, Tensor]) -> object:
    """Run the model in torch; a failure says which shapes were fed."""
    try:
        with torch.no_grad():
            return subject.run(**inputs) if _by_keyword(subject) else subject.run(*inputs.values())
    except Exception as error:
        fed = ", ".join(f"{name} {list(value.shape)}" for name, value in inputs.items())
        raise RefusalError(
            "EXPORT_FROM_TORCH_FAILED",
            f"the model fails on inputs {fed}: {first_line(error)}",
            where=place_of(error),
            hint="check --input-shape",
        ) from error


def _by_keyword(subject: Subject) -> bool:
    return isinstance(subject.module, nn.Module)


def trace(module: nn.Module, inputs: dict[str, Tensor]) -> torch.export.ExportedProgram:
    """Trace with a dynamic batch axis; failing that, with a batch of one."""
    batch = torch.export.Dim(BATCH)
    free = {name: {0: batch} if value.ndim else {} for name, value in inputs.items()}
    try:
        return torch.export.export(module, (), inputs, dynamic_shapes=free, strict=False)
    except _TRACE_FAILURES as reason:
        single = {name: value[:1] if value.ndim else value for name, value in inputs.items()}
        try:
            program = torch.export.export(module, (), single, strict=False)
        except _TRACE_FAILURES:
            raise reason from None
        inputs.update(single)
        return program


def names_of(outputs: object) -> list[str]:
    """Return dict keys as they are, ``output`` for a single tensor, else ``output_0`` and on."""
    if isinstance(outputs, Mapping) and all(isinstance(v, Tensor) for v in outputs.values()):
        return [str(key) for key in outputs]
    count = len(flatten(outputs))
    return ["output"] if count == 1 else [f"output_{index}" for index in range(count)]


def flatten(outputs: object) -> list[Tensor]:
    """Return the tensors of nested tuples, lists and dicts in order."""
    if isinstance(outputs, Tensor):
        return [outputs]
    if outputs is None:
        return []
    if isinstance(outputs, Mapping):
        outputs = list(outputs.values())
    if not isinstance(outputs, list | tuple):
        kind = type(outputs).__name__
        raise RefusalError("MODEL_UNSUPPORTED", f"forward() gives a {kind}, not tensors")
    return [tensor for part in outputs for tensor in flatten(part)]


def tidy(model: ir.Model) -> ir.Model:
    """Drop stack traces and build paths, and call the batch axis by its name."""
    cleaning.ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
    first_axes = [value.shape[0] for value in model.graph.inputs if value.shape]
    symbols = {str(axis.value) for axis in first_axes if isinstance(axis, ir.SymbolicDim)}
    for value in [*model.graph.inputs, *(v for node in model.graph for v in node.outputs)]:
        value.metadata_props.clear()
        if value.shape is not None:
            value.shape = ir.Shape([_renamed(dim, symbols) for dim in value.shape])
    return model


def _renamed(dim: int | ir.SymbolicDim, symbols: set[str]) -> int | str | None:
    if isinstance(dim, int) or dim.value is None:
        return dim if isinstance(dim, int) else None
    return re.sub(r"\w+", lambda m: BATCH if m[0] in symbols else m[0], str(dim.value))


# --- checking ------------------------------------------------------------------------------------


def check(subject: Subject, path: Path) -> None:
    """Compare the file's answers with torch's on two batches, of two lengths where it may vary."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    fixed = all(isinstance(entry.shape[0], int) for entry in session.get_inputs() if entry.shape)
    for extra in (0, 0 if fixed else 1):
        inputs = {name: another(value, extra) for name, value in subject.inputs.items()}
        expected = flatten(run_once(subject, inputs))
        values = [value.numpy() for value in inputs.values()]
        names = [entry.name for entry in session.get_inputs()]
        answers = session.run(None, dict(zip(names, values, strict=True)))
        for have, want in zip(answers, expected, strict=True):
            compare(have, want.numpy())


def another(value: Tensor, extra: int) -> Tensor:
    """Return an input like *value* with other content and *extra* more samples."""
    longer = torch.cat([value, value[:extra]]) if value.ndim else value
    return torch.randn_like(longer) if longer.is_floating_point() else longer.flip(0)


def compare(have: Array, want: Array) -> None:
    """Refuse when two outputs differ in shape, or by more than ``PARITY`` of the largest value."""
    if have.shape != want.shape:
        difference = f"shape {have.shape} instead of {want.shape}"
    else:
        scale = float(np.abs(want).max(initial=0)) or 1.0
        error = float(np.abs(have.astype(np.float64) - want).max(initial=0)) / scale
        if error <= PARITY or not np.isfinite(want).all():
            return
        difference = f"a difference of {error:.1e} of the largest output"
    raise RefusalError("EXPORT_FROM_TORCH_FAILED", f"the exported graph answers with {difference}")


# --- the program ---------------------------------------------------------------------------------


def first_line(error: BaseException) -> str:
    """Return the type and the first line of the text of *error*."""
    text = str(error).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def why_unreadable(error: BaseException) -> str:
    """Return what is wrong with a file, without torch's advice to load it unsafely."""
    if isinstance(error, pickle.UnpicklingError):
        return "it is damaged or holds pickled Python objects"
    return str(error) if isinstance(error, RefusalError) else first_line(error)


def place_of(error: BaseException) -> str:
    """Return ``file:line`` of the user's code where *error* arose, as deep as it is known."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    libraries = (str(Path(torch.__file__).parent), str(Path(inspect.__file__).parent), "<")
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((*libraries, __file__))]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def read_request() -> Request:
    """Read the request from stdin."""
    raw = json.load(sys.stdin)
    return Request(
        source=Path(raw["source"]),
        factory=raw["factory"],
        weights=Path(raw["weights"]) if raw["weights"] else None,
        shapes=raw["shapes"],
        folder=Path(raw["folder"]),
    )


def serve(request: Request) -> Facts:
    """Do the work; return the parts of an error, or nothing."""
    torch.manual_seed(SEED)
    sys.dont_write_bytecode = True
    code, what = "FACTORY_FAILED", "the factory failed: "
    try:
        subject = load_factory(request) if request.factory else load_program(request)
        code, what = "EXPORT_FROM_TORCH_FAILED", "torch cannot export the model: "
        path = request.folder / "model.onnx"
        ir.save(export(subject), path)
        check(subject, path)
    except RefusalError as refusal:
        return {"where": str(request.source), **refusal.facts}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - this process's edge: user code runs here
        where = place_of(error) or str(request.source)
        return {"code": code, "what": what + first_line(error), "where": where}
    return {}


if __name__ == "__main__":
    asked = read_request()
    (asked.folder / "result.json").write_text(json.dumps(serve(asked)), encoding="utf-8")
