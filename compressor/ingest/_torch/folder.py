"""A folder of the transformers package: ``config.json`` and ``*.safetensors``.

Only what is data is read. The package's own loader follows many keys of a configuration (code in
the folder, kernels and adapters from elsewhere, quantizers); here it gets a configuration without
them and tensors that are read already, and so opens no file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers
from torch import Tensor, float32
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from .._child.refusal import RefusalError, first_line
from .._child.request import Request
from .examples import from_model
from .nesting import leaves
from .safetensors import INDEX, SINGLE, read_folder
from .subject import Subject

CONFIG = "config.json"
LARGEST_CONFIG = 16 << 20
_FACTORY = "make the model in Python and give it as file.py:factory"
# Keys that make the package import, fetch or replace things.
_DROPPED = (
    *("auto_map", "fusion_config", "kernel_config", "_name_or_path", "custom_pipelines"),
    *("_attn_implementation", "attn_implementation", "_experts_implementation"),
    *("dtype", "torch_dtype", "use_pretrained_backbone", "output_attentions"),
)


def load_folder(request: Request) -> tuple[Subject, list[str]]:
    """Return the model in the folder that *request* names, with examples, and notes about it."""
    stated = _read_config(request.source / CONFIG)
    kind = _class_of(stated)
    tensors = read_folder(request.source)
    config = CONFIG_MAPPING[stated["model_type"]].from_dict(_plain(stated))
    config.use_cache = False
    config.return_dict = True
    if getattr(config, "is_encoder_decoder", False):
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"'{kind.__name__}' is an encoder and a decoder, which are run by a program",
            expected="a model that is one graph",
            hint=f"{_FACTORY}, one for each half: return model.get_encoder()",
        )
    model, notes = _load(kind, config, tensors)
    inputs = from_model(model, request.shapes)
    return Subject(run=model, module=model, inputs=inputs, input_names=list(leaves(inputs))), notes


def _read_config(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    if size > LARGEST_CONFIG:
        raise RefusalError("MODEL_TOO_LARGE", f"its {CONFIG} has {size:,} bytes")
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RefusalError(
            "MODEL_UNREADABLE", f"its {CONFIG} is not JSON: {first_line(error)}"
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise RefusalError(
            "MODEL_UNREADABLE",
            f"its {CONFIG} does not say which model it is",
            expected="a folder that model.save_pretrained(folder) of transformers wrote",
        )
    return config


def _class_of(config: Mapping[str, Any]) -> type[transformers.PreTrainedModel]:
    """Return the package's own class that *config* names."""
    name, version = config["model_type"], transformers.__version__
    if name not in CONFIG_MAPPING:
        code = "; the folder's own code is never run" if "auto_map" in config else ""
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"transformers {version} has no model of type '{name}'{code}",
            expected="a model of the package itself",
            hint=_FACTORY,
        )
    if config.get("quantization_config") is not None:
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            "its weights are quantized in a format of their own",
            expected="float weights: edgec quantizes them for its targets",
            hint="give the folder of the model before quantization",
        )
    given = config.get("architectures") or []
    wanted = given[0] if isinstance(given, list) and given else ""
    kind = getattr(transformers, wanted, None) if isinstance(wanted, str) and wanted else None
    if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"its {CONFIG} names no architecture that transformers {version} has: {given}",
            expected='"architectures": ["..."], a class of the package',
            hint=_FACTORY,
        )
    return kind


def _plain(config: Any) -> Any:  # noqa: ANN401 - JSON
    """Return *config* without the keys that reach out of it."""
    if isinstance(config, dict):
        return {key: _plain(value) for key, value in config.items() if key not in _DROPPED}
    return [_plain(part) for part in config] if isinstance(config, list) else config


def _load(
    kind: type[transformers.PreTrainedModel],
    config: transformers.PretrainedConfig,
    tensors: dict[str, Tensor],
) -> tuple[transformers.PreTrainedModel, list[str]]:
    try:
        model, found = kind.from_pretrained(
            None, config=config, state_dict=tensors, dtype=float32, output_loading_info=True
        )
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"the weights do not make a {kind.__name__}: {first_line(error)}",
            expected=f"{SINGLE} or {INDEX}, of the same model as {CONFIG}",
        ) from error
    missing, extra = sorted(found["missing_keys"]), sorted(found["unexpected_keys"])
    if missing:
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"{len(missing)} tensors of {kind.__name__} are not in the folder: "
            f"{', '.join(missing[:3])}",
            expected="all weights of the architecture",
            hint=f"fine-tune the model first, or name the right architecture in {CONFIG}",
        )
    notes = [f"{len(extra)} tensors of the folder are not used: {', '.join(extra[:3])}"]
    return model.eval().requires_grad_(requires_grad=False), notes if extra else []
