"""``chatgrid audit``: what was done to keys, and whether the record of it is whole."""
