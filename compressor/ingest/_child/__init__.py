"""A program of its own: turns a model into an ONNX file, in a process that ends with it.

It and the frameworks' halves of it (``_torch``, ``_keras``) are loaded under a name of their own
and import nothing of edgec, so that a user's modules may have any name. A framework is imported
only when the model is one of its own.
"""
