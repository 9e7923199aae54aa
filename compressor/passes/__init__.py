"""Rewrites and annotations of a graph: one pass a file."""
