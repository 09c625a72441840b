"""The only code that knows the outside: DynamoDB, identity providers, API Gateway."""
