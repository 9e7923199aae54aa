"""Everything from a model file on disk to a finished, annotated graph."""
