"""Annotated graph to artifact: one format a module."""
