"""SavedModel folders: a serving signature, its variables, and nothing that reads or writes files.

Loading restores variables and runs the initializers of resources (tables, say), so a model with
resources is refused, and so is one with operators that touch files or call Python, wherever they
stand in it. Those that save and restore variables stand in every SavedModel; none may be reached
from the signature, and the functions by which objects restore themselves are dropped.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

from .._child.refusal import RefusalError
from .._child.request import Request
from .damage import reading, unreadable
from .subject import Subject, Tensors, completed, unique

WHAT = "SavedModel"
_GRAPH, _VARIABLES = "saved_model.pb", "variables"
_LARGEST = (1 << 31) - 1
_SIGNATURE = "serving_default"
_FORBIDDEN = (
    *("PyFunc", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles", "DeleteFile"),
    *("Print", "LookupTable", "InitializeTable", "HashTable", "MutableHashTable"),
    *("TextLine", "FixedLengthRecord", "TFRecord", "WholeFileReader", "XlaHostCompute", "Rpc"),
    *("ImmutableConst", "Summary", "WriteSummary", "CreateSummary", "Debug", "Batch"),
)
_CHECKPOINT = ("Save", "Restore", "MergeV2Checkpoints", "ShardedFilename")
_ALLOWED = ("BatchMatMul", "BatchToSpace", "BatchNorm", "BatchCholesky")
_DATA = frozenset(
    {"user_object", "variable", "function", "bare_concrete_function", "constant", "captured_tensor"}
)


def load_saved_model(request: Request) -> Subject:
    """Load the serving signature of a folder that holds only a graph and its variables."""
    folder = request.source
    _check_files(folder)
    with reading(WHAT):
        content = (folder / _GRAPH).read_bytes()
        if len(content) > _LARGEST:
            raise unreadable(WHAT, "its graph is longer than protobuf allows")
        proto = saved_model_pb2.SavedModel.FromString(content)
        _check_graphs(proto)
        loaded = tf.saved_model.load(str(_without_training(proto, request)))
        signature = _signature_of(loaded)
        _check_reached(signature.graph.as_graph_def())
        specs = _specs_of(signature)
    outputs = sorted(signature.structured_outputs)
    return Subject(
        run=Signature(
            function=signature,
            owner=loaded,
            inputs=[spec.name for spec in specs],
            outputs=outputs,
        ),
        inputs=completed(specs, request.shapes),
        outputs=unique(outputs, [spec.name for spec in specs]),
    )


def _without_training(proto: saved_model_pb2.SavedModel, request: Request) -> Path:
    """Return a copy that holds no state of optimizers and no ways of saving."""
    copy = request.folder / "saved_model"
    shutil.copytree(request.source / _VARIABLES, copy / _VARIABLES)
    for graph in proto.meta_graphs:
        for held in graph.object_graph_def.nodes:
            for field in ("slot_variables", "saveable_objects", "registered_saver"):
                held.ClearField(field)
    (copy / _GRAPH).write_bytes(proto.SerializeToString())
    return copy


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature as a function of tensors; *owner* keeps its variables alive.

    Attributes:
        function: takes tensors by name, returns tensors by name.
        owner: what was loaded.
        inputs: names of the inputs, in order.
        outputs: names of the outputs, in order.
    """

    function: Callable[..., Mapping[str, tf.Tensor]]
    owner: object
    inputs: Sequence[str]
    outputs: Sequence[str]

    def __call__(self, *tensors: tf.Tensor) -> Tensors:
        """Return one tensor an output."""
        answers = self.function(**dict(zip(self.inputs, tensors, strict=True)))
        return [answers[name] for name in self.outputs]


def _check_files(folder: Path) -> None:
    """Refuse links that lead out of *folder*, and files that are none."""
    root = folder.resolve()
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if not path.resolve().is_relative_to(root) or not (path.is_file() or path.is_dir()):
                raise unreadable(WHAT, f"'{path.relative_to(folder)}' leads out of the folder")


def _check_graphs(proto: saved_model_pb2.SavedModel) -> None:
    if not proto.meta_graphs:
        raise unreadable(WHAT, "it holds no graph")
    for graph in proto.meta_graphs:
        if not graph.object_graph_def.nodes:
            raise RefusalError(
                "MODEL_UNSUPPORTED",
                "the SavedModel was written by TensorFlow 1",
                expected="one of TensorFlow 2",
                hint="load it in TensorFlow 2 and save it again",
            )
        for held in graph.object_graph_def.nodes:
            kind = held.WhichOneof("kind")
            if kind not in _DATA:
                raise _refused(f"it holds an object of kind '{kind}'")
        own = {function.signature.name for function in graph.graph_def.library.function}
        for name in sorted(set(_operators(graph.graph_def)) - own):
            if name.startswith(_FORBIDDEN) and not name.startswith(_ALLOWED):
                raise _refused(f"it uses the operator {name}")
            if op_def_registry.get(name) is None:
                raise _refused(f"it uses the custom operator {name}")


def _check_reached(graph: Any) -> None:  # noqa: ANN401 - a GraphDef
    """Refuse a signature that saves or restores; the functions in its graph are what it calls."""
    for name in sorted(set(_operators(graph))):
        if name.startswith(_CHECKPOINT):
            raise _refused(f"its signature uses the operator {name}")


def _operators(graph: Any) -> Iterator[str]:  # noqa: ANN401 - a GraphDef
    yield from (node.op for node in graph.node)
    yield from (node.op for function in graph.library.function for node in function.node_def)


def _refused(what: str) -> RefusalError:
    return RefusalError(
        "MODEL_UNSUPPORTED",
        f"the SavedModel is more than a graph and its variables: {what}",
        expected="no tables, assets, files, Python functions or custom operators",
        hint="save the model without its preprocessing: model.export('folder')",
    )


def _signature_of(loaded: Any) -> Any:  # noqa: ANN401 - what TensorFlow makes of it
    signatures: Mapping[str, Any] = loaded.signatures
    names = [name for name in signatures if not name.startswith("_")]
    if _SIGNATURE not in names and len(names) != 1:
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"the SavedModel has {len(names)} signatures" + f": {', '.join(names)}" * bool(names),
            expected=f"one, or one called '{_SIGNATURE}'",
            hint="save it with model.export('folder')",
        )
    return signatures[_SIGNATURE if _SIGNATURE in names else names[0]]


def _specs_of(signature: Any) -> list[tf.TensorSpec]:  # noqa: ANN401 - a ConcreteFunction
    _, keywords = signature.structured_input_signature
    return [tf.TensorSpec(s.shape, s.dtype, name=name) for name, s in keywords.items()]
