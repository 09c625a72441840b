"""A key's secrets in DynamoDB: aliases that lead to its home, and graces that still run."""
