"""Imports point one way, and what is heavy or optional is imported only where it is used."""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("compressor", "exporters", "runtimes", "bench")
PEERS = ROOT / "bench" / "peers"  # programs that are run by hand and stand above everything

ANYONE = ("compressor.errors", "compressor.catalog")

# Part -> parts that it may import; the longest matching name counts. Modules of `compressor` that
# are not listed (compile and what it is made of, doctor, cli) stand on top and may import all.
ALLOWED: dict[str, tuple[str, ...]] = {
    "compressor.errors": (),
    "compressor.catalog": (),
    "compressor.files": (),
    "compressor.points": (),
    "compressor.settings": (),
    "compressor.recipe": (
        "compressor.ir.sparsity",
        "compressor.points",
        "compressor.pruning.budget",
        "compressor.settings",
    ),
    "compressor.ir": (),
    "compressor.analyses": ("compressor.ir",),
    "compressor.calibration": ("compressor.ir",),
    "compressor.quantizers": ("compressor.ir", "compressor.calibration"),
    "compressor.passes": (
        "compressor.ir",
        "compressor.analyses",
        "compressor.calibration",
        "compressor.quantizers",
    ),
    "compressor.pruning": (
        "compressor.ir",
        "compressor.analyses",
        "compressor.calibration",
        "compressor.passes",
    ),
    "compressor.ledger": ("compressor.analyses", "compressor.passes"),
    "compressor.pipeline": (
        "compressor.ir",
        "compressor.analyses",
        "compressor.passes",
        "compressor.ledger",
    ),
    "compressor.ingest": ("compressor.ir", "compressor.passes", "compressor.layout"),
    "compressor.layout": ("compressor.ir",),
    "compressor.torch_module": ("compressor.ir",),
    "compressor.lint": ("compressor.ir",),
    "compressor.data": ("compressor.ir",),
    "compressor.dataset": ("compressor.ir", "compressor.data", "compressor.lint"),
    "compressor.plausibility": ("compressor.data", "compressor.dataset", "compressor.lint"),
    "compressor.artifact": ("compressor.ir", "compressor.analyses", "compressor.recipe"),
    "exporters": (
        "compressor.files",
        "compressor.ir",
        "compressor.analyses",
        "compressor.artifact",
        "compressor.layout",
    ),
    "runtimes": ("compressor.ir.interface", "compressor.artifact"),
    "runtimes._torch_session": (
        "runtimes.protocol",
        "compressor.ir.interface",
        "compressor.source",
        "compressor.torch_module",
    ),
    "runtimes.simulator": (
        "runtimes",
        "compressor.files",
        "compressor.ir",
        "compressor.analyses",
        "compressor.source",
    ),
    "bench": ("runtimes", "compressor.artifact"),
}

OPTIONAL = frozenset(
    {"torch", "tensorflow", "keras", "tf2onnx", "torchvision", "openvino", "MNN", "transformers"}
)
# Programs of their own, which no other module imports.
CHILDREN = (
    *(f"compressor.ingest.{name}" for name in ("_child", "_torch", "_keras")),
    "runtimes.remote._runner",
)
# Written in PyTorch, and imported only inside functions.
IN_TORCH = ("compressor.torch_module",)
# What `edgec --help` must not wait for.
HEAVY = sorted(
    OPTIONAL | {"numpy", "onnx", "onnx_ir", "onnxscript", "onnxruntime", "ai_edge_litert", "rich"}
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if not path.is_relative_to(PEERS)
}


def targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        base = node.module or ""
        names = [f"{base}.{alias.name}" for alias in node.names]
        yield from (name if name in MODULES else base for name in names)


def at_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Walk *node* without the bodies of functions and of ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from at_import_time(child)


def is_within(name: str, parts: tuple[str, ...]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def rule_of(name: str) -> str | None:
    rules = [rule for rule in ALLOWED if is_within(name, (rule,))]
    return max(rules, key=len, default=None)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    rule = rule_of(name)
    if rule is None:
        assert name == "compressor" or name.startswith("compressor."), "a package without a rule"
        return
    allowed = (rule, *ALLOWED[rule], *ANYONE)
    imported = {target for node in ast.walk(MODULES[name]) for target in targets(node)}
    own = {target for target in imported if target.partition(".")[0] in PACKAGES}
    assert {target for target in own if not is_within(target, allowed)} == set()


@pytest.mark.parametrize("name", [n for n in MODULES if not is_within(n, (*CHILDREN, *IN_TORCH))])
def test_optional_packages_are_not_imported_with_the_module(name: str) -> None:
    imported = {t for node in at_import_time(MODULES[name]) for t in targets(node)}
    assert {target.partition(".")[0] for target in imported} & OPTIONAL == set()
    assert not any(is_within(target, IN_TORCH) for target in imported)


def test_child_programs_are_imported_by_nobody_and_import_nothing_of_ours() -> None:
    for name, tree in MODULES.items():
        imported = {target for node in ast.walk(tree) for target in targets(node)}
        assert not any(is_within(target, CHILDREN) for target in imported)
        if is_within(name, CHILDREN):
            assert not any(is_within(target, PACKAGES) for target in imported)


def test_modules_do_not_import_each_other_in_circles() -> None:
    graph = {
        name: {t for node in at_import_time(tree) for t in targets(node) if t in MODULES}
        for name, tree in MODULES.items()
    }
    list(graphlib.TopologicalSorter(graph).static_order())


def test_every_rule_is_about_something() -> None:
    for rule, allowed in ALLOWED.items():
        assert all(any(is_within(name, (part,)) for name in MODULES) for part in (rule, *allowed))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from compressor.cli.main import main; status = main(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert "compile" in done.stdout


def test_folders_of_the_user_shadow_nothing(tmp_path: Path) -> None:
    for name in (*PACKAGES, "models", "numpy", "onnx", "torch"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    code = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "from compressor.cli.main import main; sys.exit(main(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "made and run" in done.stdout
