"""Latency and memory of models on devices that are not at hand, with their uncertainty."""
