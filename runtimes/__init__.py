"""Artifact to session to outputs, times and memory: one runtime a file."""
