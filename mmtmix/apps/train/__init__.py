"""Training: what checks every stage before the first one runs."""
