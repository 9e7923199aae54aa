"""Budgets on what was measured, and the verdict on each."""
