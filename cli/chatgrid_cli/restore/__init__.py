"""``chatgrid restore``: what a table that was restored from a backup does not know any more."""
