"""Statistics to quantization parameters: one method a file."""
