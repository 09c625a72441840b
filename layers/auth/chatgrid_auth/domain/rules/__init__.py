"""The rules of a key: where it may be used from, by which pages, and for what."""
