"""Training: from examples to a result, with stops, records, checkpoints, streams, and what it will take."""
