"""The command that trains a config, and the check of all its stages beforehand."""
