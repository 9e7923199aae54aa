"""Operator families: one file each, read as a table ``READ`` from operator to function."""
