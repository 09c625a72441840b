"""APIs of other stacks, run beside the local system: their functions, its authorizer."""
