"""How limits that are not a key's own lie in DynamoDB: windows on a table of their own."""
