"""Quality of outputs: one metric a file, each defining ``METRIC``."""
