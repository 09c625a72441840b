"""The web edge that the FastAPI functions share: the contract's envelope, paging and bodies.

All but ``instants`` import FastAPI, Pydantic and Mangum, so the authorizer never imports it.
"""
