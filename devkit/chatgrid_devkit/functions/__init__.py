"""Functions run as in Lambda: processes of their own, one invocation at a time."""
