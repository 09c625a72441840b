"""What few decisions take beside their one request: costs, spared credits, refills, upkeep."""
