"""Timing, memory, size, accuracy, comparison and reports."""
