"""What time does to keys, in DynamoDB."""
