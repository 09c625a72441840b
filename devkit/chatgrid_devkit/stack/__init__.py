"""The whole system on this machine: the embedded AWS, what is put into it, and how it starts."""
