"""Weights that come with the package: their cards, and how these are made."""
