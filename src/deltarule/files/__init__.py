"""Model files, and writing files atomically."""
