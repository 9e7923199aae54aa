"""Importers: one source format a file, each turning it into a canonical graph."""
