"""Size of a model's files, as stored and as an app store or an over-the-air update sends them."""

from __future__ import annotations

import zlib
from pathlib import Path

from bench.records import Size
from runtimes.protocol import require_file

_CHUNK = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 9
_LARGEST_COMPRESSED = 1 << 30  # half a minute of work


def measure_size(*files: Path) -> Size:
    """Return bytes and gzip bytes of *files* (several: weights beside the model), summed.

    The gzip header holds no name and no time, so equal files have equal sizes. Files are streamed.

    Files beyond 1 GiB are not compressed.

    Raises:
        EdgecError: ``MODEL_NOT_FOUND``.
    """
    for path in files:
        require_file(path)
    total = sum(path.stat().st_size for path in files)
    compressed = sum(map(_gzip_bytes, files)) if total <= _LARGEST_COMPRESSED else None
    return Size(file_bytes=total, gzip_bytes=compressed)


def _gzip_bytes(path: Path) -> int:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    with path.open("rb") as stream:
        chunks = iter(lambda: stream.read(_CHUNK), b"")
        return sum(len(compressor.compress(chunk)) for chunk in chunks) + len(compressor.flush())
