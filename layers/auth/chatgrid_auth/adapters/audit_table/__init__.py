"""The audit table: each owner's chain of entries."""
