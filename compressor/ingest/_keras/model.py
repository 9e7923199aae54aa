"""A Keras model as a function of tensors, with the names that its author gave."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from .._child.refusal import RefusalError, first_line
from .._child.request import Made, Request
from .subject import Shapes, Subject, completed, shape_needed, unique

EXAMPLES = "example_inputs"


def complete(made: Made, request: Request) -> Subject:
    """Complete what the user's factory returned with weights and input shapes."""
    model = made.model
    if not isinstance(model, keras.Model):
        raise RefusalError(
            "FACTORY_FAILED",
            f"'{request.factory}' gave a {type(model).__module__}.{type(model).__name__}",
            expected=f"a Keras {keras.__version__} model",
        )
    if keras.backend.backend() != "tensorflow":
        raise RefusalError(
            "MODEL_UNSUPPORTED",
            f"the file runs Keras on {keras.backend.backend()}",
            expected="Keras on TensorFlow, from which models are exported",
            hint="do not set KERAS_BACKEND in the file",
        )
    own = getattr(made.own, EXAMPLES, None)
    specs = None if _states_inputs(model) else _specs_of_call(own, request.shapes)
    if specs is not None:
        _call(
            model,
            [tf.zeros([spec.shape[0] or 1, *spec.shape[1:]], spec.dtype) for spec in specs],
            specs,
        )
    if request.weights is not None:
        _load_weights(model, request.weights)
    return subject_of(model, request.shapes, specs)


def subject_of(
    model: keras.Model, shapes: Shapes, specs: Sequence[tf.TensorSpec] | None = None
) -> Subject:
    """Return *model* as a subject; *specs* state inputs that it does not state itself."""
    for layer in (model, *model._flatten_layers(include_self=False)):  # noqa: SLF001 - no other way
        if "float16" in str(layer.dtype_policy.name):  # a setting of training on GPUs
            layer.dtype_policy = "float32"
    if specs is None:
        if not _states_inputs(model):
            raise shape_needed("inputs")
        specs = completed(_specs_of_inputs(model), shapes)
    shown = tf.function(lambda *t: _call(model, t, specs), autograph=False)
    structure = shown.get_concrete_function(*specs).structured_outputs
    names = _output_names(model, structure)
    return Subject(
        run=lambda *tensors: keras.tree.flatten(_call(model, tensors, specs)),
        inputs=specs,
        outputs=unique(names, [spec.name for spec in specs]),
    )


def _states_inputs(model: keras.Model) -> bool:
    return bool(getattr(model, "inputs", None))


def _specs_of_inputs(model: keras.Model) -> list[tf.TensorSpec]:
    names = unique([_layer_of(tensor) for tensor in model.inputs])
    return [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for tensor, name in zip(model.inputs, names, strict=True)
    ]


def _specs_of_call(examples: Any, shapes: Shapes) -> list[tf.TensorSpec]:  # noqa: ANN401 - the user's
    """Return specs of a subclassed model's inputs, by stated shapes or the user's examples."""
    if shapes:
        return [tf.TensorSpec([None, *dims[1:]], name=name) for name, dims in shapes.items()]
    if examples is None:
        raise shape_needed("inputs")
    given = examples()
    named = given if isinstance(given, Mapping) else {"inputs": given}
    tensors = {name: tf.convert_to_tensor(value) for name, value in named.items()}
    return [tf.TensorSpec([None, *t.shape[1:]], t.dtype, name=n) for n, t in tensors.items()]


def _call(model: keras.Model, tensors: Sequence[tf.Tensor], specs: Sequence[tf.TensorSpec]) -> Any:  # noqa: ANN401
    """Run *model* in the structure of its inputs."""
    if _states_inputs(model):
        given = keras.tree.pack_sequence_as(model.input, list(tensors))
    elif len(tensors) == 1:
        given = tensors[0]
    else:
        given = {spec.name: tensor for spec, tensor in zip(specs, tensors, strict=True)}
    return model(given, training=False)


def _output_names(model: keras.Model, structure: object) -> list[str]:
    """Return the keys of a dict, else the names of the layers that make the outputs."""
    if isinstance(structure, Mapping) and all(tf.is_tensor(v) for v in structure.values()):
        return sorted(map(str, structure))  # the order of keras.tree.flatten
    count = len(keras.tree.flatten(structure))
    outputs = getattr(model, "outputs", None)
    if outputs and len(outputs) == count:
        return [_layer_of(tensor) for tensor in outputs]
    return ["output"] if count == 1 else [f"output_{index}" for index in range(count)]


def _layer_of(tensor: Any) -> str:  # noqa: ANN401 - a KerasTensor
    return str(tensor._keras_history.operation.name)  # noqa: SLF001 - as Model.summary() does


def _load_weights(model: keras.Model, path: Path) -> None:
    try:
        model.load_weights(path)
    except Exception as error:
        raise RefusalError(
            "WEIGHTS_MISMATCH",
            f"the weights do not fit the model: {first_line(error)}",
            where=str(path),
            expected="a file that model.save_weights('m.weights.h5') wrote for this architecture",
        ) from error
