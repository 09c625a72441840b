"""Making derived tokens."""
