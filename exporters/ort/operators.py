"""Which operators and types an .ort file needs, as ONNX Runtime's reduced builds read it.

A build with ``--include_ops_by_config FILE --enable_reduced_operator_type_support`` has the
kernels that the file lists and no others.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

CONFIG_SUFFIX = ".required_operators_and_types.config"

Required = dict[str, dict[int, set[str]]]
"""Operators by domain and by the opset since which they mean this."""


def required_operators(content: bytes) -> bytes:
    """Return the configuration for the .ort file *content*: a line a domain and opset.

    Types are added where ONNX Runtime can leave kernels of other types out.
    """
    from onnxruntime.tools import ort_format_model

    operators: Required = {}
    usage = ort_format_model.OperatorTypeUsageManager()
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder:
        path = Path(folder) / "model.ort"
        path.write_bytes(content)
        ort_format_model.OrtFormatModelProcessor(str(path), operators, usage).process()
    lines = ["# Operators and types of one model; ORT format was written by edgec."]
    for domain, by_opset in sorted(operators.items()):
        for opset, names in sorted(by_opset.items()):
            types = {name: usage.get_config_entry(domain, name) or "" for name in names}
            entries = [name + kinds for name, kinds in sorted(types.items())]
            lines.append(f"{domain};{opset};{','.join(entries)}")
    return ("\n".join(lines) + "\n").encode()
