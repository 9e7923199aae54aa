"""The stage that gives artifacts the interface asked for: types first, then the order of axes."""

from __future__ import annotations

from compressor.ir.quant import IntegerType
from compressor.job import Job
from compressor.passes.protocol import Pass
from compressor.passes.set_io_layout import SetIoLayout
from compressor.passes.set_io_type import SetIoType
from compressor.recipe import IoLayout, IoType, Recipe

_INTEGERS = {
    IoType.FLOAT32: None,
    IoType.INT8: IntegerType.INT8,
    IoType.UINT8: IntegerType.UINT8,
}


def present(job: Job) -> None:
    """Change the types and layouts of the working graph's inputs and outputs.

    Raises:
        EdgecError: ``RECIPE_INVALID`` when an input or output cannot have the type.
    """
    steps = presentation(job.recipe)
    if steps:
        job.run(steps, keeps_interface=False)


def presentation(recipe: Recipe) -> list[Pass]:
    """Return the passes that *recipe* needs for its interface."""
    steps: list[Pass] = []
    if recipe.io_type is not IoType.KEEP:
        steps.append(SetIoType(integers=_INTEGERS[recipe.io_type]))
    if recipe.io_layout is IoLayout.NHWC:
        steps.append(SetIoLayout())  # last: a Transpose then moves integers, where there are any
    return steps
