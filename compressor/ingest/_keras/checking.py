"""The exported file must answer as Keras does, at two batch sizes."""

from pathlib import Path

import numpy as np
import onnxruntime
import tensorflow as tf

from .._child.comparing import Array, compare
from .._child.refusal import RefusalError, first_line
from .subject import Subject

# Sums of float32 in another order differ by some 1e-6 of the largest output, a wrong graph by more
# than any threshold.
PARITY = 1e-4
BATCHES = (1, 3)
SEED = 0


def check(subject: Subject, path: Path) -> None:
    """Compare the file's answers with Keras's on random inputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [spec.name for spec in subject.inputs]
    random = np.random.default_rng(SEED)
    for batch in BATCHES:
        inputs = [_example(spec, batch, random) for spec in subject.inputs]
        answers = session.run(list(subject.outputs), dict(zip(names, inputs, strict=True)))
        for have, want in zip(answers, _expected(subject, inputs), strict=True):
            compare(have, want, limit=PARITY, code="EXPORT_FROM_KERAS_FAILED")


def _example(spec: tf.TensorSpec, batch: int, random: np.random.Generator) -> Array:
    """Standard normal floats; for other types zeros and ones, which every range allows."""
    shape = [batch if dim is None else dim for dim in spec.shape]
    kind = spec.dtype.as_numpy_dtype
    is_float = spec.dtype.is_floating
    values = random.standard_normal(shape) if is_float else random.integers(0, 2, shape)
    return np.asarray(values).astype(kind)


def _expected(subject: Subject, inputs: list[Array]) -> list[Array]:
    try:
        tensors = [tf.constant(value) for value in inputs]
        return [output.numpy() for output in subject.run(*tensors)]
    except (tf.errors.OpError, ValueError, TypeError) as error:
        fed = ", ".join(
            f"{s.name} {list(v.shape)}" for s, v in zip(subject.inputs, inputs, strict=True)
        )
        raise RefusalError(
            "EXPORT_FROM_KERAS_FAILED",
            f"the model fails on inputs {fed}: {first_line(error)}",
            hint="check --input-shape",
        ) from error
