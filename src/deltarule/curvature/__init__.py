"""What second-order trainers need of a network: J v and J^T v, J^T J over blocks, J J^T without J, and H v."""
