"""Real devices: a model travels there, is run and timed, and what was found comes back."""
