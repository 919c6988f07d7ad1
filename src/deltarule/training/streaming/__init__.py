"""Training on examples that stay on disk: the chunks as rows on the devices, the epochs over them, `train_stream`."""

from deltarule.training.streaming.training import train_stream

__all__ = ["train_stream"]
