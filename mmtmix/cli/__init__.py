"""Arguments of the commands. Its modules import neither torch nor the host stack at the top."""
