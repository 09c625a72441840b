"""The audit log: one chain of entries for each owner."""
