"""What a dataset tells about the use of the model that is compiled on it."""

from __future__ import annotations

from compressor.dataset import Dataset
from compressor.ir.usage import Usage


def usage_of(dataset: Dataset | None) -> Usage:
    """Return normalization, colour order and class names as far as *dataset* states them.

    ``(x / divide - mean) / std`` is one subtraction and one division of raw values.
    """
    if dataset is None:
        return Usage()
    feeding = dataset.description.feeding
    return Usage(
        mean=tuple(m * feeding.divide for m in feeding.mean),
        std=tuple(s * feeding.divide for s in feeding.std),
        color=dataset.description.decoding.color if dataset.is_images else "",
        labels=dataset.class_names,
    )
