"""How keys lie in DynamoDB: items, the window's expressions, decisions, transactions, stores."""
