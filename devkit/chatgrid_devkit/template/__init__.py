"""template.yaml as SAM expands it, read into plain values."""
