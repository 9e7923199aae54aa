"""A program of its own: turns a PyTorch model into an ONNX file, in a process that ends with it.

It is loaded under a name of its own and imports nothing of edgec, so that a user's modules may
have any name.
"""
