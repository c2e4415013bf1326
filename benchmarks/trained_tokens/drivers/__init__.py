"""One script for each tool: it runs in the tool's own environment and calls the tool's own code."""
