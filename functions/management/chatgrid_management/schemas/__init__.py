"""What the routes take and give, as the contract words it.

What shows a key stands apart from what changes one, so that a list waits for the first alone.
"""
