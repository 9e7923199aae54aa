"""Structured pruning: what to remove, how much where, and how the rest makes up for it."""
