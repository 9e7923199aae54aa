"""A folder of images, one folder a class: decoded once, kept on disk as rows of bytes.

Classes are numbered in the order of their names. Samples come round the classes, the first image
of each, then the second, so that any number of leading samples covers them all.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from compressor.data.spool import Spool
from compressor.data.store import LABELS, SAMPLES, StoredArray
from compressor.errors import Code, EdgecError

if TYPE_CHECKING:
    from PIL.Image import Image

Array = npt.NDArray[Any]
Size = tuple[int, int]

_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
COLORS = {"RGB": 3, "BGR": 3, "L": 1}
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")
MOST_PIXELS = 100_000_000  # of one image: ten times what cameras make


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How a file becomes a row ``[height, width, channels]`` of bytes.

    Attributes:
        resize: length of the shorter side, or height and width; None leaves the size.
        crop: height and width of what is cut out of the middle; None leaves all.
        color: RGB, BGR, or L for one channel of brightness.
        interpolation: how pixels are resampled.
    """

    resize: int | Size | None = None
    crop: Size | None = None
    color: str = "RGB"
    interpolation: str = "bilinear"


class ImageStore:
    """The images below a folder as array ``x``, their classes as array ``y``."""

    def __init__(self, folder: Path, decoding: Decoding) -> None:
        """List the images; each is decoded when it is needed.

        Raises:
            EdgecError: ``EXTRA_MISSING`` without Pillow, ``DATA_EMPTY`` without images.
        """
        _require_pillow(folder)
        self._folder = folder
        self._decoding = decoding
        self._files, self._labels = _listing(folder)
        self._rows = Spool(SAMPLES)
        self._take(1)  # its size is that of all

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the folders of the classes, in the order of their numbers."""
        return (
            tuple(f.name for f in _class_folders(self._folder)) if self._labels is not None else ()
        )

    @property
    def arrays(self) -> Mapping[str, StoredArray]:
        """The images, of which the first has been decoded, and the classes if there are any."""
        first = self._rows.stored
        shape = (len(self._files), *first.shape[1:])
        images = StoredArray(name=SAMPLES, dtype=first.dtype, shape=shape)
        if self._labels is None:
            return {SAMPLES: images}
        labels = StoredArray(name=LABELS, dtype=self._labels.dtype, shape=self._labels.shape)
        return {SAMPLES: images, LABELS: labels}

    def prepare(self, names: Iterable[str], samples: int) -> None:
        """Do nothing: all images are known."""

    def read(self, name: str, samples: int | None = None) -> Array:
        """Return the first *samples* images ``[n, height, width, channels]``, or their classes.

        Raises:
            EdgecError: ``DATA_UNREADABLE`` or ``DATA_SHAPE``, naming the file.
        """
        wanted = len(self._files) if samples is None else min(samples, len(self._files))
        if name == LABELS and self._labels is not None:
            return self._labels[:wanted]
        self._take(wanted)
        return self._rows.rows(wanted)

    def _take(self, count: int) -> None:
        for file in self._files[len(self._rows) : count]:
            row = decode(file, self._decoding)
            try:
                self._rows.append(row[None])
            except ValueError as error:
                first = "x".join(map(str, self._rows.stored.shape[1:3]))
                raise EdgecError(
                    Code.DATA_SHAPE,
                    f"the image has {row.shape[0]}x{row.shape[1]} pixels, others have {first}",
                    where=str(file),
                    expected="images of one size",
                    hint="state resize = 256 and crop = 224 in a .toml data description",
                ) from error


def decode(file: Path, decoding: Decoding) -> Array:
    """Return the image in *file* as bytes ``[height, width, channels]``.

    Raises:
        EdgecError: ``DATA_UNREADABLE`` for what is no image, or too large; ``DATA_SHAPE`` when it
            is smaller than what is cut out.
    """
    from PIL import Image

    with _reading(file), Image.open(file, formats=sorted(set(_FORMATS.values()))) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"it has {image.width}x{image.height} pixels")
        fitted = _cropped(_resized(image, decoding), decoding, file)
        mode = "L" if decoding.color == "L" else "RGB"
        pixels = np.asarray(fitted.convert(mode), np.uint8)
    pixels = pixels.reshape(*pixels.shape[:2], COLORS[decoding.color])
    return pixels[:, :, ::-1] if decoding.color == "BGR" else pixels


def _resized(image: Image, decoding: Decoding) -> Image:
    """Resize as training code does: the shorter side to a length, or both."""
    from PIL import Image as Pillow

    if decoding.resize is None:
        return image
    height, width = decoding.resize if isinstance(decoding.resize, tuple) else (0, 0)
    if isinstance(decoding.resize, int):
        scale = decoding.resize / min(image.width, image.height)
        height, width = (max(1, int(side * scale)) for side in (image.height, image.width))
        shorter = min(image.width, image.height)
        height = decoding.resize if image.height == shorter else height
        width = decoding.resize if image.width == shorter else width
    plain = image if image.mode in ("RGB", "L") else image.convert("RGB")
    return plain.resize((width, height), Pillow.Resampling[decoding.interpolation.upper()])


def _cropped(image: Image, decoding: Decoding, file: Path) -> Image:
    if decoding.crop is None:
        return image
    height, width = decoding.crop
    left, top = (image.width - width) // 2, (image.height - height) // 2
    if left < 0 or top < 0:
        raise EdgecError(
            Code.DATA_SHAPE,
            f"the image has {image.height}x{image.width} pixels, less than crop = {height}x{width}",
            where=str(file),
            expected="images that are as large as what is cut out of them",
            hint=f"state resize = {max(height, width)} as well",
        )
    return image.crop((left, top, left + width, top + height))


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    from PIL import Image

    try:
        yield
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise EdgecError(
            Code.DATA_UNREADABLE,
            f"'{file.name}' is not a readable image: {error}",
            where=str(file),
            expected=f"a whole image of at most {MOST_PIXELS:,} pixels",
        ) from error


def _listing(folder: Path) -> tuple[list[Path], npt.NDArray[np.int64] | None]:
    """Return image files in the order of samples, and the class of each; None without classes."""
    classes = [_images_in(f) for f in _class_folders(folder)]
    pairs = [
        (file, index)
        for row in zip_longest(*classes)
        for index, file in enumerate(row)
        if file is not None
    ]
    files = [file for file, _ in pairs] or _images_in(folder)
    if not files:
        raise EdgecError(
            Code.DATA_EMPTY,
            f"there are no images in '{folder.name}'",
            where=str(folder),
            expected="a folder for each class with images in it, or images",
        )
    return files, np.asarray([index for _, index in pairs], np.int64) if pairs else None


def _class_folders(folder: Path) -> list[Path]:
    """Return the folders with images in them, in the order of the classes' numbers."""
    folders = sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    return [f for f in folders if _images_in(f)]


def _images_in(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in _FORMATS and not file.name.startswith(".")
    )


def _require_pillow(folder: Path) -> None:
    if importlib.util.find_spec("PIL") is None:
        raise EdgecError(
            Code.EXTRA_MISSING,
            f"the images in '{folder.name}' need Pillow, which is not installed",
            hint="pip install 'edgec[images]'",
        )
