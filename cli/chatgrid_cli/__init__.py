"""``chatgrid``: what an operator does with a stack, on AWS or on this machine."""
