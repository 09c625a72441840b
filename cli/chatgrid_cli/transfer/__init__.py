"""Keys from and to files."""
