"""A package, since pytest then keeps one browser for all of it (conftest.py)."""
