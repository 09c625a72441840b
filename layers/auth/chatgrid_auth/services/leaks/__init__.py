"""Credentials that somebody found where they should not be: read, looked up, acted upon."""
