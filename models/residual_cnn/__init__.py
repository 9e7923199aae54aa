"""A small residual network with projection shortcuts."""
