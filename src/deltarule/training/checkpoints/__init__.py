"""Checkpoints, from which an interrupted training resumes bit for bit as if it had never stopped."""
