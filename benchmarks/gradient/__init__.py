"""One evaluation of ∇C: backpropagation by hand against automatic differentiation."""
