"""What may be used how often: exact windows of any length, and what lies beside them."""
