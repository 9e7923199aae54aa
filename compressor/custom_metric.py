"""The metric that a data description names: one of edgec's, or ``file.py:function``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.metric import Metric, Needs, find_metric
from compressor.data.user_code import is_code, load_function, split, user_failures
from compressor.errors import Code, EdgecError

Array = npt.NDArray[Any]

_HIGHER_IS_BETTER = "higher_is_better"


def metric_named(name: str) -> Metric:
    """Return the metric called *name*, or the user's function of that name.

    A function of the user's is called with the first output ``[samples, ...]`` and the labels
    ``[samples, ...]``, and returns a number. Larger is better, unless the function has an
    attribute ``higher_is_better`` that says otherwise.

    Raises:
        EdgecError: ``RECIPE_INVALID`` for an unknown name, ``DATA_NOT_FOUND`` or
            ``METRIC_FAILED`` for a function that cannot be loaded; its own failures are
            ``METRIC_FAILED`` with file and line.
    """
    if not is_code(name):
        return find_metric(name)
    file, function_name = split(name)
    function = load_function(name, Code.METRIC_FAILED)

    def evaluate(outputs: Array, labels: Array) -> float:
        with user_failures(file, Code.METRIC_FAILED):
            value = function(outputs, labels)
        if not np.isscalar(value) and np.size(value) != 1:
            raise _no_number(name, value)
        try:
            number = float(np.asarray(value).item())
        except (TypeError, ValueError) as error:
            raise _no_number(name, value) from error
        if math.isnan(number):
            raise _no_number(name, value)
        return number

    return Metric(
        name=f"{file.name}:{function_name}",
        unit="",
        needs=Needs.LABELS,
        higher_is_better=bool(getattr(function, _HIGHER_IS_BETTER, True)),
        point=None,
        evaluate=evaluate,
    )


def _no_number(name: str, value: object) -> EdgecError:
    kind = "NaN" if isinstance(value, float) else f"a {type(value).__name__}"
    return EdgecError(
        Code.METRIC_FAILED,
        f"the metric gave {kind}",
        where=name,
        expected="one number for all samples",
    )
