"""Operators that runtimes make by fusing others, written as what they were fused from."""
