"""A JSON request on stdin; the ONNX file and a JSON result in the folder that it names."""

import importlib
import json
import sys
from pathlib import Path

from .making import EXPECTED, framework_of, make
from .refusal import Facts, RefusalError, first_line, place_of
from .request import Made, Request

Notes = dict[str, list[str]]
# Packages that come with an extra of edgec.
EXTRAS = {
    "torch": "torch",
    "keras": "keras",
    "tensorflow": "keras",
    "tf2onnx": "keras",
    "transformers": "transformers",
    "safetensors": "transformers",
}


def main() -> None:
    """Serve the one request of this process."""
    request = read_request()
    (request.folder / "result.json").write_text(json.dumps(serve(request)), encoding="utf-8")


def read_request() -> Request:
    """Read the request from stdin."""
    raw = json.load(sys.stdin)
    return Request(
        framework=raw["framework"],
        source=Path(raw["source"]),
        factory=raw["factory"],
        weights=Path(raw["weights"]) if raw["weights"] else None,
        shapes=raw["shapes"],
        folder=Path(raw["folder"]),
    )


def serve(request: Request) -> Facts | Notes:
    """Do the work; return the parts of an error, or notes about what was done."""
    sys.dont_write_bytecode = True
    code, what, framework, made = "FACTORY_FAILED", "the factory failed: ", request.framework, None
    try:
        if request.factory:
            made = make(request)
            framework = framework_of(made.model) or _refuse(made, request)
        code, what = f"EXPORT_FROM_{framework.upper()}_FAILED", "the model cannot be exported: "
        reader = importlib.import_module(f"..._{framework}.reader", __name__)
        return {"notes": reader.export(request, made) or []}
    except RefusalError as refusal:
        return {"where": str(request.source), **refusal.facts}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - this process's edge: user code runs here
        where = place_of(error) or str(request.source)
        return _missing_extra(error, where) or {
            "code": code,
            "what": what + first_line(error),
            "where": where,
        }


def _refuse(made: Made, request: Request) -> str:
    raise RefusalError(
        "FACTORY_FAILED",
        f"'{request.factory}' gave a {type(made.model).__name__}",
        expected=EXPECTED,
    )


def _missing_extra(error: BaseException, where: str) -> Facts:
    package = error.name if isinstance(error, ModuleNotFoundError) else None
    if package not in EXTRAS:
        return {}
    return {
        "code": "EXTRA_MISSING",
        "what": f"the model needs the package '{package}', which is not installed",
        "where": where,
        "hint": f"pip install 'edgec[{EXTRAS[package]}]'",
    }
