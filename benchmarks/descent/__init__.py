"""Gradient descent against its peers: the same network, start, data, batches and learning rate for all."""
