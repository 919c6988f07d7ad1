"""The derivatives that second-order trainers need: J v and J^T v, J^T J over blocks, J J^T without J, and H v."""
