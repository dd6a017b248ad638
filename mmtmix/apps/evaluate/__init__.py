"""The command that evaluates a classifier beyond its accuracy."""
