"""The verdict on a request: who it comes from, what stands against it, what is remembered of it."""
