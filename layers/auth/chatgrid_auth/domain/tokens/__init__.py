"""Derived tokens: short-lived credentials that a key's holder makes from the key."""
