"""Changes of a key that are committed by one write on its home, and told of afterwards."""
