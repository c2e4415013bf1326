"""One module per file format, each a function from a file to batches of records."""
