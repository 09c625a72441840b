"""The page on which people manage their keys: static files, and the two routes that serve them."""
