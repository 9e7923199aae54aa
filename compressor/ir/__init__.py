"""What graphs, operators and quantized values are; imports only errors from the project."""
