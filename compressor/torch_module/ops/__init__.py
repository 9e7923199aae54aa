"""Operators in PyTorch: one family a file, each defining ``OPS``."""
