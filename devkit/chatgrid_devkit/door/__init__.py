"""What stands before everything that listens on this machine: who may ask, and what is printed."""
