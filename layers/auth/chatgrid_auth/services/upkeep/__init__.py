"""What time does to keys: they expire, and those that nobody uses are disabled; both foretold."""
