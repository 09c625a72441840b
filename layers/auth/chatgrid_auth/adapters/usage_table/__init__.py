"""The usage table: what arrived of the decision lines, and the buckets that it is summed into."""
