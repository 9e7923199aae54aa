"""The graph as a PyTorch module: same numbers, differentiable, any batch.

Nothing else imports this package but inside functions: it imports PyTorch.
"""
