"""Axis orders: decided once for the whole graph as a minimum cut, then carried out."""
