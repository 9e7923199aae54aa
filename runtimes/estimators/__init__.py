"""Targets that are not here: each answers with an estimate, not a session; one file a kind."""
