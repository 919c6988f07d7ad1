"""Training on examples that stay on disk."""
