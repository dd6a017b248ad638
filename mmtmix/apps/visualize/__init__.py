"""The commands that draw mixes of real images."""
