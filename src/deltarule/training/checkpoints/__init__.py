"""Checkpoints: what a training needs to go on after whatever ended it, bit for bit as if nothing had."""
