"""Fashion-MNIST as the Debian package installs it: four gzipped IDX files.

The format is described at https://yann.lecun.org/exdb/mnist/: a big-endian magic number whose
last byte is the number of dimensions, one 32-bit size per dimension, then unsigned bytes.
"""

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DEFAULT_FOLDER = Path("/usr/share/datasets/fashion-mnist")
PACKAGE = "dataset-fashion-mnist"
CLASSES = 10

# Mean and standard deviation of all training pixels after division by 255.
MEAN = 0.2860
STD = 0.3530


class DatasetError(Exception):
    """The Fashion-MNIST files are missing or are not what they should be."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images `[N, 28, 28]` as stored, 0 to 255, and their labels `[N]`, 0 to 9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def load_train(folder: Path = DEFAULT_FOLDER) -> Split:
    """Read the 60,000 training images. Raises `DatasetError`."""
    return _load(folder, "train")


def load_test(folder: Path = DEFAULT_FOLDER) -> Split:
    """Read the 10,000 test images. Raises `DatasetError`."""
    return _load(folder, "t10k")


def normalise(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn images `[N, 28, 28]` into what the models take: float32 `[N, 1, 28, 28]`."""
    scaled = (images.astype(np.float32) / 255.0 - MEAN) / STD
    return scaled[:, np.newaxis].astype(np.float32)


def choose_balanced(
    labels: NDArray[np.int64], count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Choose `count` sample indices, equally many of each class, in random order."""
    per_class = count // CLASSES
    chosen = [
        random.choice(np.flatnonzero(labels == label), per_class, replace=False)
        for label in range(CLASSES)
    ]
    return random.permutation(np.concatenate(chosen))


def _load(folder: Path, prefix: str) -> Split:
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", dimensions=3)
    labels = _read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", dimensions=1)
    if len(images) != len(labels):
        message = f"{folder}: {len(images)} {prefix} images but {len(labels)} labels"
        raise DatasetError(message)
    return Split(images=images, labels=labels.astype(np.int64))


def _read_idx(path: Path, *, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        message = (
            f"{path} does not exist; install it with `apt-get install {PACKAGE}` "
            "or name the folder that holds the four .gz files"
        )
        raise DatasetError(message) from error
    except gzip.BadGzipFile as error:
        message = f"{path} is not a gzip file"
        raise DatasetError(message) from error
    header = struct.Struct(f">4B{dimensions}I")
    if len(content) < header.size:
        message = f"{path} ends within its header"
        raise DatasetError(message)
    fields = list(header.unpack_from(content))
    if fields[:4] != [0, 0, 0x08, dimensions]:
        message = f"{path} is not an IDX file of bytes with {dimensions} dimension(s)"
        raise DatasetError(message)
    pixels = np.frombuffer(content, np.uint8, offset=header.size)
    if pixels.size != np.prod(fields[4:]):
        message = f"{path} holds {pixels.size} bytes; its header says {fields[4:]}"
        raise DatasetError(message)
    return pixels.reshape(fields[4:])
