"""What the system does, in terms of ports."""
