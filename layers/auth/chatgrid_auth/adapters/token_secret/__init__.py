"""The secret of the stack that derived tokens are made with."""
