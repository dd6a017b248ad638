"""The command that evaluates a checkpoint."""
