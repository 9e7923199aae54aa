"""How operators are rewritten when channels go: one file a family, each with ``RULES``."""
