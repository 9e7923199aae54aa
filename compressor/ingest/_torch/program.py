"""A JSON request on stdin; the ONNX file and a JSON result in the folder that it names."""

import json
import sys
from pathlib import Path

import onnx_ir as ir
import torch

from .checking import check
from .exporting import export
from .loading import load_factory, load_program
from .refusal import Facts, RefusalError, first_line, place_of
from .subject import Request

SEED = 0


def main() -> None:
    """Serve the one request of this process."""
    request = read_request()
    (request.folder / "result.json").write_text(json.dumps(serve(request)), encoding="utf-8")


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
    torch.set_num_threads(1)  # a few small batches: waking and spinning threads costs more
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
