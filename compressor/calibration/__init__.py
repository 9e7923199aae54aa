"""Samples to statistics, streaming: one observer a file."""
