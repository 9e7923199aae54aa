"""What graphs, operators and quantized values are; imports nothing else of the project but errors."""
