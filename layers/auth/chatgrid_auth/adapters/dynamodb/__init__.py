"""DynamoDB by boto3, for every table that is not decided upon: client, transport, batches."""
