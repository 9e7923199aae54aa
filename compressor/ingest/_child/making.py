"""From ``file.py:factory`` to the object that it makes."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from .refusal import RefusalError
from .request import Made, Request

FRAMEWORKS = ("keras", "torch")  # Keras first: on torch as its backend, its models are modules too
EXPECTED = "a callable without arguments that returns a torch.nn.Module or a Keras model"


def make(request: Request) -> Made:
    """Import the user's file and return what its factory makes or is."""
    own = import_file(request.source)
    if not hasattr(own, request.factory):
        known = [n for n, v in vars(own).items() if getattr(v, "__module__", "") == own.__name__]
        raise RefusalError(
            "FACTORY_FAILED",
            f"'{request.source.name}' defines no '{request.factory}'",
            expected=f"one of: {', '.join(known)}" if known else "a function in that file",
        )
    made = getattr(own, request.factory)
    if isinstance(made, type) or (not framework_of(made) and callable(made)):
        made = made()
    return Made(model=made, own=own)


def framework_of(made: object) -> str:
    """Return the framework whose model *made* is, by the packages of its classes; else nothing."""
    packages = {kind.__module__.partition(".")[0] for kind in type(made).__mro__}
    return next((name for name in FRAMEWORKS if name in packages), "")


def import_file(source: Path) -> ModuleType:
    """Import *source* so that both its siblings and its package's relative imports work."""
    names, root = [source.stem], source.parent
    sys.path.insert(0, str(source.parent))
    while (root / "__init__.py").is_file():
        names.insert(0, root.name)
        root = root.parent
    sys.path.insert(1, str(root))
    return importlib.import_module(".".join(names))
