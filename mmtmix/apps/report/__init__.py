"""The command that writes a page about one or several runs."""
