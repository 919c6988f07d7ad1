"""Networks: activations, costs, layers, the four equations of backpropagation, and the trace of an example."""
