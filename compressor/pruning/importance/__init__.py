"""Which units matter least: one measure a file, ``NEEDS_MOMENTS`` and ``rank(subject, keep)``."""
