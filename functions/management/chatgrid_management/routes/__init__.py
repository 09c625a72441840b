"""One module for each resource. Routes are coroutines that call the store directly.

A Lambda container serves one request at a time, so there is nothing that a blocking call
could hold up, and no thread pool to pay for.
"""
