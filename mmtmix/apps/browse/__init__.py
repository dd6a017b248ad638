"""The command that draws training batches."""
