"""Ways to reach a device: one file each, known by the beginning of a target string."""
