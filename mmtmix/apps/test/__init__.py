"""Testing: the command that evaluates a checkpoint."""
