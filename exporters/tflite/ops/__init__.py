"""Operator families: one file each, read as two tables."""
