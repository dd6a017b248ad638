"""Configs for a folder of images: what the images are, what the network is, and the files."""
