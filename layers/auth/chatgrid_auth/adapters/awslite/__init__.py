"""The lean AWS client: signing, credentials, TLS, HTTP, DynamoDB.

Standard library only; it knows nothing of ChatGrid.
"""
