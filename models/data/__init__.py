"""The small data set that ships beside the reference models."""
