"""Mutants that change nothing that a caller could notice, with the reason."""

EQUIVALENT: dict[str, dict[str, str]] = {}
"""From the beginning of a function's name in mutmut to lines of the change and the reason."""
