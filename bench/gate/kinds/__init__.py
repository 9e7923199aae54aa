"""What can be budgeted, one kind a file; see ``bench/gate/kind.py``."""
