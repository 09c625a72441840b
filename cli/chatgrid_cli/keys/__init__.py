"""Commands about keys and their owners."""
