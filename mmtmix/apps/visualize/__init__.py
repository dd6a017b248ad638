"""Pictures of what mixers make of real images."""
