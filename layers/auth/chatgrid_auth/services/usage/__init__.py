"""How often keys and sessions were used, summed from the decision lines."""
