"""Facts about a graph, computed without editing it."""
