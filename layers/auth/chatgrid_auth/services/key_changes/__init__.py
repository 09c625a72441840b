"""What may be changed of a key, and by which rules."""
