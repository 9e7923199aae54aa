"""How samples lie in a file, and how they are fed to a model."""
