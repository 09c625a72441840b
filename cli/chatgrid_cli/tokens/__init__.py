"""``chatgrid tokens``: the secret that derived tokens are made with."""
