"""Where requests that may come again are remembered."""
