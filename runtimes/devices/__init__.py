"""Devices as data: one file each, with fitted profiles or published times; loaded by name."""
