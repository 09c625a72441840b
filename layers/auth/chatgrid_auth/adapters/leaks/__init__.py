"""Leaked keys: who reports them, and how what they report is found and acted upon."""
