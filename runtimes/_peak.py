"""The largest resident set of this process so far."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_KIB = 1024


def peak_bytes() -> int:
    """Return the peak resident set in bytes.

    Linux states it for this program alone (``VmHWM``). ``getrusage`` would carry over the parent's
    peak from before ``exec``, so it only serves where there is no ``/proc``.
    """
    if _STATUS.exists():
        lines = _STATUS.read_text().splitlines()
        return next(int(row.split()[1]) * _KIB for row in lines if row.startswith("VmHWM:"))
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
