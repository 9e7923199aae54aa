"""How labels pass operators: one file a family, each with ``RULES``, a table by operator."""
