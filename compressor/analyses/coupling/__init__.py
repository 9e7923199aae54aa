"""Which channels of which tensors go together: labels pushed through the graph, and union-find."""
