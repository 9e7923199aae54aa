"""What changed between versions of the ONNX operators: how to say the same at the canonical one."""
