"""Well-known architectures without their training: what ingest and export must be able to read.

Each file holds one family as a user would write it: factories without arguments, for
``file.py:factory``. Weights are seeded and keep variance, and normalization has uneven
statistics, so that outputs depend on everything in the graph. ``entries.py`` lists them all.
"""
