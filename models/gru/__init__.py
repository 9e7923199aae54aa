"""A gated recurrent network that reads an image row by row."""
