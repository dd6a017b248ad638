"""Writing of configs for a folder of images."""
