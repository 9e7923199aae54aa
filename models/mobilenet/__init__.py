"""A small MobileNetV2 with squeeze-and-excitation."""
