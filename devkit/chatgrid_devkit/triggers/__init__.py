"""What calls functions beside the gateway: schedules, queues, and subscriptions to logs."""
