"""The Lambda authorizer: from API Gateway's event to a policy, by way of one verdict."""
