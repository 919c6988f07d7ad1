"""A network: activations, costs, layers, the four equations of backpropagation, and what it shows of itself."""
