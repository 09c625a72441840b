"""Usage-plan keys follow ChatGrid keys: the queue's work, the sweep, the pace."""
