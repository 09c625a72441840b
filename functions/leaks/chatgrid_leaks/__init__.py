"""Takes reports of leaked keys from whoever finds them, and acts on them."""
