"""Every model of the zoo: where its factory is, what it needs, and what is fed."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.ingest.options import IngestOptions
from compressor.ir.interface import Interface, TensorSpec

FOLDER = Path(__file__).parent
Shapes = Mapping[str, tuple[int, ...]]
Array = npt.NDArray[Any]
Feeds = dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model.

    Attributes:
        file: file of the folder, without its ending.
        factory: what to call in it.
        package: what the factory imports: keras, torch or transformers.
        shapes: shapes of inputs by name, where neither model nor file states them.
        below: integers that are fed are non-negative and smaller than this, by input.
        cnn: a plain convolutional network: no attention, recurrence or boxes.
    """

    file: str
    factory: str
    package: str = "torch"
    shapes: Shapes = field(default_factory=dict)
    below: Mapping[str, int] = field(default_factory=dict)
    cnn: bool = False

    @property
    def name(self) -> str:
        """A name that is unique in the zoo."""
        return self.file if self.factory == "build" else f"{self.file}.{self.factory}"

    @property
    def spec(self) -> str:
        """The model as the command line takes it."""
        return f"{FOLDER / self.file}.py:{self.factory}"

    @property
    def options(self) -> IngestOptions:
        """What completes the source."""
        return IngestOptions(input_shapes=self.shapes)

    @property
    def installed(self) -> bool:
        """Whether the packages that it needs are."""
        needed = {"keras": ("keras", "tensorflow", "tf2onnx"), "torch": ("torch",)}
        packages = needed.get(self.package, ("torch", self.package))
        return all(importlib.util.find_spec(name) is not None for name in packages)

    def feeds(self, interface: Interface, *, batch: int = 1, seed: int = 0) -> Feeds:
        """Return random inputs: normal floats, masks, and integers in the range of the model."""
        random = np.random.default_rng(seed)
        return {spec.name: self._fed(spec, batch, random) for spec in interface.inputs}

    def _fed(self, spec: TensorSpec, batch: int, random: np.random.Generator) -> Array:
        shape = spec.concrete(batch)
        if spec.numpy.kind == "f":
            return random.standard_normal(shape).astype(spec.numpy)
        if spec.name.endswith("mask"):  # padding at the end; what is masked wholly has no answer
            lengths = random.integers(1, shape[1] + 1, (batch, 1))
            return (np.arange(shape[1]) < lengths).astype(spec.numpy)
        return random.integers(0, self.below.get(spec.name, 2), shape).astype(spec.numpy)


def _keras(factory: str, **facts: Any) -> Entry:  # noqa: ANN401 - fields of Entry
    return Entry(file="keras_images", factory=factory, package="keras", cnn=True, **facts)


def _hub(file: str, factory: str, **facts: Any) -> Entry:  # noqa: ANN401 - fields of Entry
    return Entry(file=file, factory=factory, package="transformers", **facts)


def _image(side: int) -> Shapes:
    return {"pixel_values": (1, 3, side, side)}


def _torch(file: str, factory: str, side: int) -> Entry:
    return Entry(file=file, factory=factory, shapes={"image": (1, 3, side, side)}, cnn=True)


ZOO = (
    _keras("resnet50"),
    _keras("vgg16"),
    _keras("densenet121"),
    _keras("inception_v3"),
    _keras("xception"),
    _keras("nasnet_mobile"),
    _keras("mobilenet_v2"),
    _keras("mobilenet_v3_small"),
    _keras("mobilenet_v3_large"),
    _keras("efficientnet_b0"),
    _keras("efficientnet_v2_b0"),
    _keras("convnext_tiny"),
    Entry(file="keras_sequences", factory="lstm", package="keras"),
    Entry(file="keras_sequences", factory="gru", package="keras"),
    Entry(file="keras_sequences", factory="bidirectional", package="keras"),
    Entry(file="keras_sequences", factory="conv1d", package="keras", cnn=True),
    Entry(file="keras_sequences", factory="attention", package="keras"),
    _hub("vision_transformers", "vit", shapes=_image(224)),
    _hub("vision_transformers", "deit", shapes=_image(224)),
    _hub("vision_transformers", "swin", shapes=_image(224)),
    _hub("vision_transformers", "mobilevit", shapes=_image(256)),
    _hub("vision_transformers", "segformer", shapes=_image(256)),
    _hub("text_encoders", "bert", below={"input_ids": 1000}),
    _hub("text_encoders", "distilbert", below={"input_ids": 1000}),
    _hub("decoder", "gpt2", below={"input_ids": 500}),
    _hub("decoder", "llama", below={"input_ids": 500}),
    _hub("decoder_with_cache", "gpt2_step", below={"input_ids": 500}),
    _hub("speech_encoder", "whisper_tiny"),
    _torch("unet", "transposed", 128),
    _torch("unet", "overlapping", 128),
    _torch("unet", "bilinear", 128),
    _torch("unet", "nearest", 128),
    Entry(file="tcn", factory="build", shapes={"sequence": (1, 16, 128)}, cnn=True),
    Entry(file="detector", factory="decoded", shapes={"image": (1, 3, 160, 160)}),
    Entry(file="detector", factory="suppressed", shapes={"image": (1, 3, 160, 160)}),
    _torch("shufflenet", "build", 96),
    _torch("squeezenet", "build", 96),
    _torch("mobilenet_v1", "build", 96),
)
