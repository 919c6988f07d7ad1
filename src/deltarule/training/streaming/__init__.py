"""Training on examples that stay on disk: the chunks as rows on the devices, the epochs over them, `train_stream`."""
