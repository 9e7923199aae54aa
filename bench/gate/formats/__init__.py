"""How rulings are reported, one format a file; see ``bench/gate/format.py``."""
